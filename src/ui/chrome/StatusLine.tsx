import { Box, Text } from "ink";
import type { StatusView } from "../view.ts";

const badgeColours = { navigate: "cyan", attached: "green", dialog: "yellow" } as const;

/** The mode, then what just happened or the keys that work now, then what is under way. */
export function StatusLine({ view, cols }: { view: StatusView; cols: number }) {
  return (
    <Box width={cols} height={1}>
      <Box flexShrink={0}>
        <Text bold inverse color={badgeColours[view.tone]}>{` ${view.badge} `}</Text>
        <Text> </Text>
      </Box>
      <Box flexGrow={1} overflow="hidden" height={1}>
        {view.notice ? <Notice notice={view.notice} /> : <Hints hints={view.hints} />}
      </Box>
      {view.work && (
        <Box flexShrink={0}>
          <Text color="yellow">{` ${view.work} `}</Text>
        </Box>
      )}
    </Box>
  );
}

function Notice({ notice }: { notice: NonNullable<StatusView["notice"]> }) {
  return (
    <Text wrap="truncate-end" color={notice.level === "error" ? "red" : undefined}>
      {notice.level === "error" ? "✗ " : ""}
      {notice.text}
    </Text>
  );
}

function Hints({ hints }: { hints: StatusView["hints"] }) {
  return (
    <Text wrap="truncate-end">
      {hints.map(({ key, hint }) => (
        <Text key={key}>
          <Text bold>{key}</Text>
          <Text dimColor>{` ${hint}   `}</Text>
        </Text>
      ))}
    </Text>
  );
}
