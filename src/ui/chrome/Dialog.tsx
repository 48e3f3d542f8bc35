import { Box, Text } from "ink";
import { useContext } from "react";
import type { DialogLine, DialogView } from "../dialogs/dialog-view.ts";
import type { Theme } from "../theme.ts";
import { ThemeContext } from "./theme-context.ts";

/** A framed box: title, lines, keys. Every dialog of the TUI is one of these. */
export function Dialog({ view, ascii }: { view: DialogView; ascii: boolean }) {
  const theme = useContext(ThemeContext);
  return (
    <Box
      width={view.width}
      height={view.height}
      borderStyle={ascii ? "classic" : "round"}
      borderColor={theme.dialog.name}
      paddingX={2}
      flexDirection="column"
      overflow="hidden"
    >
      <Box height={1} flexShrink={0} marginBottom={1}>
        <Text bold color={theme.dialog.name}>
          {view.title}
        </Text>
      </Box>
      <Box flexDirection="column" flexGrow={1} overflow="hidden">
        {view.lines.map((line, index) => (
          <Line key={index} line={line} keyWidth={view.keyWidth} />
        ))}
      </Box>
      <Box flexDirection="column" height={view.footer.length} flexShrink={0} marginTop={1}>
        {view.footer.map((line) => (
          <Text key={line} dimColor={theme.dim} wrap="truncate-end">
            {line}
          </Text>
        ))}
      </Box>
    </Box>
  );
}

function toneColour(theme: Theme, tone: DialogLine["tone"]): string | undefined {
  if (tone === "error" || tone === "removed") return theme.error.name;
  return tone === "added" ? theme.attached.name : undefined;
}

function Line({ line, keyWidth }: { line: DialogLine; keyWidth: number }) {
  const theme = useContext(ThemeContext);
  return (
    <Box height={1} flexShrink={0}>
      {line.key !== undefined && (
        <Box width={keyWidth + 2} flexShrink={0}>
          <Text bold inverse={line.tone === "selected"}>
            {line.tone === "selected" ? line.key.padEnd(keyWidth + 2) : line.key}
          </Text>
        </Box>
      )}
      <Text
        wrap="truncate-end"
        dimColor={theme.dim && line.tone === "dim"}
        inverse={line.tone === "selected"}
        color={toneColour(theme, line.tone)}
      >
        {line.text || " "}
      </Text>
    </Box>
  );
}
