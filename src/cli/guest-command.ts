function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * What the guest's shell is given. One word is a command line, pipes and all; several are a program
 * and its arguments, which arrive exactly as they were typed here.
 */
export function guestCommandLine(words: string[]): string {
  return words.length === 1 ? words[0]! : words.map(quote).join(" ");
}
