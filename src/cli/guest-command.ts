import { shellQuote } from "../runtime/shell-quote.ts";

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : shellQuote(word);
}

/**
 * What the guest's shell is given. One word is a command line, pipes and all; several are a program
 * and its arguments, which arrive exactly as they were typed here. With a dash at its very beginning
 * the shell would take the line for one of its own options.
 */
export function guestCommandLine(words: string[]): string {
  const line = words.length === 1 ? words[0]! : words.map(quote).join(" ");
  return line.startsWith("-") ? ` ${line}` : line;
}
