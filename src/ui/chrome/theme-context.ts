import { createContext } from "react";
import { type Theme, themeNamed } from "../theme.ts";

/** The theme every piece of chrome is drawn in. */
export const ThemeContext = createContext<Theme>(themeNamed("dark"));
