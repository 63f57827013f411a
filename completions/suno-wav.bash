_suno_wav_completion() {
    local IFS=$'\n'
    COMPREPLY=( $( env COMP_LINE="${COMP_LINE:0:COMP_POINT}" _SUNO_WAV_COMPLETE=complete_bash $1 ) )
    return 0
}

complete -o default -F _suno_wav_completion suno-wav
