import { Box, Text } from "ink";
import { useContext } from "react";
import type { StatusView } from "../status-view.ts";
import { ThemeContext } from "./theme-context.ts";

const badges = { navigate: "selected", attached: "attached", dialog: "dialog" } as const;

/** The mode, then what just happened or the keys that work now, then what is under way. */
export function StatusLine({ view, cols }: { view: StatusView; cols: number }) {
  const theme = useContext(ThemeContext);
  return (
    <Box width={cols} height={1}>
      <Box flexShrink={0}>
        <Text bold inverse color={theme[badges[view.tone]].name}>{` ${view.badge} `}</Text>
        <Text> </Text>
        {view.marks.map((mark) => (
          <Text key={mark}>
            <Text bold inverse color={theme.work.name}>{` ${mark} `}</Text>
            <Text> </Text>
          </Text>
        ))}
      </Box>
      <Box flexGrow={1} overflow="hidden" height={1}>
        {view.notice ? <Notice notice={view.notice} /> : <Hints hints={view.hints} />}
      </Box>
      {view.work && (
        <Box flexShrink={0}>
          <Text color={theme.work.name}>{` ${view.work} `}</Text>
        </Box>
      )}
    </Box>
  );
}

function Notice({ notice }: { notice: NonNullable<StatusView["notice"]> }) {
  const theme = useContext(ThemeContext);
  return (
    <Text wrap="truncate-end" color={notice.level === "error" ? theme.error.name : undefined}>
      {notice.level === "error" ? "✗ " : ""}
      {notice.text}
    </Text>
  );
}

function Hints({ hints }: { hints: StatusView["hints"] }) {
  const theme = useContext(ThemeContext);
  return (
    <Text wrap="truncate-end">
      {hints.map(({ key, hint }, index) => (
        <Text key={key}>
          {index > 0 && "   "}
          <Text bold>{key}</Text>
          <Text dimColor={theme.dim}>{` ${hint}`}</Text>
        </Text>
      ))}
    </Text>
  );
}
