// Completions
//
// A script for each shell that asks this program itself: `helix-zed complete -- WORDS`, the last of which may be
// unfinished, prints what may stand there, a line each. So completions know every command and option that there is.

import { Argument, type Command, type Option } from "commander";

const scripts: Readonly<Record<string, string>> = {
  bash: `_helix_zed() {
  local IFS=$'\\n'
  COMPREPLY=($(helix-zed complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _helix_zed helix-zed`,
  zsh: `#compdef helix-zed
_helix_zed() {
  local -a found
  found=(\${(f)"$(helix-zed complete -- \${words[2,CURRENT]} 2>/dev/null)"})
  compadd -a found
}
compdef _helix_zed helix-zed`,
  fish: `complete -c helix-zed -f -a '(helix-zed complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'`,
};

/** `helix-zed completion SHELL` and what the scripts ask. */
export function addCompletionCommand(program: Command, write: (text: string) => void): void {
  program
    .command("completion")
    .description("Print a script that completes commands; see its shell's manual for where to put it")
    .addArgument(new Argument("<shell>").choices(Object.keys(scripts)))
    .action((shell: string) => write(`${scripts[shell]}\n`));
  program
    .command("complete [words...]", { hidden: true })
    .allowUnknownOption()
    .action((words: string[]) => {
      for (const word of completionsOf(program, words)) write(`${word}\n`);
    });
}

/** What may stand in place of the last word. */
export function completionsOf(program: Command, words: readonly string[]): string[] {
  const unfinished = words.at(-1) ?? "";
  let command = program;
  for (const word of words.slice(0, -1)) {
    command = command.commands.find((each) => each.name() === word) ?? command;
  }
  const names = unfinished.startsWith("-") ? optionsOf(command, program) : commandsOf(command);
  return names.filter((name) => name.startsWith(unfinished)).toSorted();
}

function commandsOf(command: Command): string[] {
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  return [...command.commands.map((each) => each.name()).filter((name) => name !== "complete"), ...choices];
}

function optionsOf(command: Command, program: Command): string[] {
  const all: readonly Option[] = command === program ? command.options : [...command.options, ...program.options];
  return [...new Set([...all.flatMap(({ long }) => long ?? []), "--help"])];
}
