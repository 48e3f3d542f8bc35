import { Box, Text } from "ink";
import type { SidebarRow, SidebarView } from "../view.ts";

/** The machines as a tree, one line each, and the work that belongs to none of them. */
export function Sidebar({ view }: { view: SidebarView }) {
  return (
    <Box flexDirection="column">
      <Text wrap="truncate-end">
        {" "}
        <Text bold>{view.title}</Text>
        {view.count && <Text dimColor>{`  ${view.count} running`}</Text>}
      </Text>
      <Text> </Text>
      {view.rows.map((row, index) => (
        <Row key={row.id ?? `task ${index}`} row={row} />
      ))}
    </Box>
  );
}

function Row({ row }: { row: SidebarRow }) {
  const text = row.right ? `${row.left} ${row.right}` : row.left;
  if (row.tone === "selected" || row.tone === "attached") {
    return (
      <Text wrap="truncate-end" bold color={row.tone === "attached" ? "green" : "cyan"} inverse>
        {`▸${text} `}
      </Text>
    );
  }
  if (row.tone === "task") {
    return (
      <Text wrap="truncate-end" color="yellow">
        {` ${text} `}
      </Text>
    );
  }
  return (
    <Text wrap="truncate-end">
      {` ${row.left} `}
      <Text dimColor>{`${row.right} `}</Text>
    </Text>
  );
}
