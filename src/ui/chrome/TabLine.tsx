import { Box, Text } from "ink";
import type { TabsView } from "../tabs-view.ts";

/** The open tabs side by side, the one that is looked at marked; at the right end its layout. */
export function TabLine({ view, cols }: { view: TabsView; cols: number }) {
  return (
    <Box width={cols} height={1}>
      <Box flexGrow={1} overflow="hidden">
        <Text wrap="truncate-end">
          {view.tabs.map((tab) => (
            <Text key={tab.index} bold={tab.current} inverse={tab.current} color="cyan">
              {tab.text}
            </Text>
          ))}
        </Text>
      </Box>
      <Box flexShrink={0}>
        <Text dimColor>{` ${view.layout} `}</Text>
      </Box>
    </Box>
  );
}
