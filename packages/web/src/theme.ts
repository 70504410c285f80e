import { createTheme, type CSSVariablesResolver, type MantineThemeOverride } from '@mantine/core';

/** One calm accent colour, tabular figures for money and hashes; contrast holds in both colour schemes. */
export const theme: MantineThemeOverride = createTheme({
  primaryColor: 'cyan',
  primaryShade: { light: 9, dark: 8 },
  autoContrast: true,
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: '650' },
});

/** The library's quiet text is too pale to read at 4.5:1; this one is not. */
export const resolveVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: { '--mantine-color-dimmed': '#565d64' },
  dark: { '--mantine-color-dimmed': '#b0b6bc' },
});
