import { Box, Text } from "ink";
import { useContext } from "react";
import type { SidebarRow, SidebarView } from "../sidebar-view.ts";
import { familyColour } from "../theme.ts";
import { ThemeContext } from "./theme-context.ts";

/** The machines as a tree, one line each, and the work that belongs to none of them. */
export function Sidebar({ view }: { view: SidebarView }) {
  const theme = useContext(ThemeContext);
  return (
    <Box flexDirection="column">
      <Text wrap="truncate-end">
        {" "}
        <Text bold>{view.title}</Text>
        {view.count && <Text dimColor={theme.dim}>{`  ${view.count} running`}</Text>}
      </Text>
      <Text> </Text>
      {view.rows.map((row, index) => (
        <Row key={row.id ?? `task ${index}`} row={row} />
      ))}
    </Box>
  );
}

function Row({ row }: { row: SidebarRow }) {
  const theme = useContext(ThemeContext);
  const text = [row.left, row.alert?.text, row.right].filter(Boolean).join(" ");
  if (row.tone === "selected" || row.tone === "attached") {
    const { name } = row.tone === "attached" ? theme.attached : theme.selected;
    return (
      <Text wrap="truncate-end" bold color={name} inverse>
        {`▸${text} `}
      </Text>
    );
  }
  if (row.tone === "task") {
    return (
      <Text wrap="truncate-end" color={theme.work.name}>
        {` ${text} `}
      </Text>
    );
  }
  const at = row.mark?.at ?? 0;
  return (
    <Text wrap="truncate-end" dimColor={theme.dim && row.tone === "dim"}>
      {` ${row.left.slice(0, at)}`}
      {row.mark && (
        <Text color={familyColour(theme, row.mark.family).name}>{row.left.charAt(at)}</Text>
      )}
      {`${row.left.slice(row.mark ? at + 1 : at)} `}
      {row.alert && (
        <Text bold={row.alert.urgent} color={row.alert.urgent ? theme.work.name : undefined}>
          {`${row.alert.text} `}
        </Text>
      )}
      <Text dimColor={theme.dim}>{`${row.right} `}</Text>
    </Text>
  );
}
