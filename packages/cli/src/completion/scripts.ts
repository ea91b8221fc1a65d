const bash = `# ts-micro completion for bash: eval "$(ts-micro completion bash)"
_ts_micro() {
  local IFS=$'\\n'
  COMPREPLY=($(ts-micro complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _ts_micro ts-micro
`;

const zsh = `#compdef ts-micro
# ts-micro completion for zsh: eval "$(ts-micro completion zsh)"
_ts_micro() {
  local -a found
  found=(\${(f)"$(ts-micro complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -- $found; else _files; fi
}
compdef _ts_micro ts-micro
`;

const fish = `# ts-micro completion for fish: ts-micro completion fish | source
function __ts_micro_complete
  set -l words (commandline -opc) (commandline -ct)
  ts-micro complete -- $words[2..-1] 2>/dev/null
end
complete -c ts-micro -a '(__ts_micro_complete)'
`;

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };

export const shells: readonly string[] = Object.keys(scripts);

/** Returns the script of a shell, or `undefined` for another one. */
export function completionScript(shell: string): string | undefined {
  return Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
}
