_suno_wav_completion() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        COMPREPLY+=( "$line" )
    done < <( env COMP_LINE="${COMP_LINE:0:COMP_POINT}" _SUNO_WAV_COMPLETE=complete_bash "$1" )
    if [[ ${COMPREPLY[0]} == files: ]]; then
        COMPREPLY=( "${COMPREPLY[@]:1}" )
        # The bash of macOS has none, and offers all files then.
        compopt -o filenames 2> /dev/null || COMPREPLY=()
    fi
    return 0
}

complete -o default -F _suno_wav_completion suno-wav
