import { Box, Text } from "ink";
import { familyColour } from "../family-colours.ts";
import type { SidebarRow, SidebarView } from "../sidebar-view.ts";

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
  const text = [row.left, row.alert?.text, row.right].filter(Boolean).join(" ");
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
  const at = row.mark?.at ?? 0;
  return (
    <Text wrap="truncate-end" dimColor={row.tone === "dim"}>
      {` ${row.left.slice(0, at)}`}
      {row.mark && <Text color={familyColour(row.mark.family).name}>{row.left.charAt(at)}</Text>}
      {`${row.left.slice(row.mark ? at + 1 : at)} `}
      {row.alert && (
        <Text bold={row.alert.urgent} color={row.alert.urgent ? "yellow" : undefined}>
          {`${row.alert.text} `}
        </Text>
      )}
      <Text dimColor>{`${row.right} `}</Text>
    </Text>
  );
}
