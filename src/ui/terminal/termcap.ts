/** What XTGETTCAP may ask, by terminfo's names: only what panes really do. */
const capabilities: Readonly<Record<string, string>> = {
  TN: "xterm-256color",
  name: "xterm-256color",
  Co: "256",
  colors: "256",
  RGB: "8/8/8",
  Tc: "",
  Su: "",
  Smulx: "\\E[4:%p1%dm",
  Setulc: "\\E[58:2::%p1%{65536}%/%d:%p1%{256}%/%{255}%&%d:%p1%{255}%&%d%;m",
  Ss: "\\E[%p1%d q",
  Se: "\\E[2 q",
  Sync: "\\E[?2026%?%p1%{1}%-%tl%eh%;",
  smxx: "\\E[9m",
  rmxx: "\\E[29m",
};

/** The answers to one request, `DCS + q <hex names> ST`; one per name, unknown names included. */
export function termcapAnswers(request: string): string {
  return request
    .split(";", 64)
    .map((hex) => {
      const known = /^([0-9a-f]{2})+$/i.test(hex);
      const name = known ? Buffer.from(hex, "hex").toString("latin1") : "";
      const value = Object.hasOwn(capabilities, name) ? capabilities[name]! : undefined;
      if (value === undefined) return `\x1bP0+r${known ? hex : ""}\x1b\\`;
      const text = Buffer.from(value.replaceAll("\\E", "\x1b"), "latin1").toString("hex");
      return `\x1bP1+r${hex}${text ? `=${text.toUpperCase()}` : ""}\x1b\\`;
    })
    .join("");
}
