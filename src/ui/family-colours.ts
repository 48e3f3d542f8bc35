/** Colours of fork families in turn: names as Ink takes them, numbers of the 16 as cells do. */
const colours = [
  { name: "blue", index: 4 },
  { name: "magenta", index: 5 },
  { name: "yellow", index: 3 },
  { name: "cyan", index: 6 },
  { name: "green", index: 2 },
  { name: "red", index: 1 },
  { name: "blueBright", index: 12 },
  { name: "magentaBright", index: 13 },
  { name: "yellowBright", index: 11 },
  { name: "cyanBright", index: 14 },
] as const;

export function familyColour(family: number): (typeof colours)[number] {
  return colours[family % colours.length]!;
}
