import { Box, Text } from "ink";
import { useContext } from "react";
import type { TabsView } from "../tabs-view.ts";
import { ThemeContext } from "./theme-context.ts";

/** The open tabs side by side, the one that is looked at marked; at the right end its layout. */
export function TabLine({ view, cols }: { view: TabsView; cols: number }) {
  const theme = useContext(ThemeContext);
  return (
    <Box width={cols} height={1}>
      <Box flexGrow={1} overflow="hidden">
        <Text wrap="truncate-end">
          {view.tabs.map((tab) => (
            <Text
              key={tab.index}
              bold={tab.current}
              inverse={tab.current}
              color={theme.selected.name}
            >
              {tab.text}
            </Text>
          ))}
        </Text>
      </Box>
      <Box flexShrink={0}>
        <Text dimColor={theme.dim}>{` ${view.layout} `}</Text>
      </Box>
    </Box>
  );
}
