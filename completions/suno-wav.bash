_suno_wav_completion() {
    local IFS=$'
'
    COMPREPLY=( $( env COMP_WORDS="${COMP_WORDS[*]}" \
                   COMP_CWORD=$COMP_CWORD \
                   _SUNO_WAV_COMPLETE=complete_bash $1 ) )
    return 0
}

complete -o default -F _suno_wav_completion suno-wav
