# zsh -f complete.zsh LINE: prints what zsh offers at the end of LINE, one a line. Completion needs a line editor, and
# that needs a terminal, so a second zsh runs in one. Arch has site-functions in its fpath, Debian has not.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "$(cat <<'SETUP'
PROMPT= RPROMPT=; stty -echo
fpath+=(/usr/share/zsh/site-functions)
autoload -U compinit && compinit -u -D
compadd() {
  if [[ ${@[1,(i)(-|--)]} == *-[OAD]\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits; builtin compadd -A hits "$@"
  print -l -- offered:${^hits}
}
show-offers() { compprefuncs=() comppostfuncs=(finish); zle complete-word; }
finish() { print -l end-of-offers }
zle -N show-offers
bindkey '^T' show-offers
print ready-to-complete
SETUP
)"$'\n'
zpty -r shell greeting '*ready-to-complete*'
zpty -n -w shell "$1"$'\C-T'
zpty -r shell offers '*end-of-offers*'
print -r -- "${offers//$'\r'/}" | sed -n 's/^.*offered://p' | sort -u
zpty -d shell
