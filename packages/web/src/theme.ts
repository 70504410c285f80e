import { Alert, createTheme, type CSSVariablesResolver, type MantineThemeOverride } from '@mantine/core';

/** One calm accent colour, tabular figures for money and hashes; contrast holds in both colour schemes. */
export const theme: MantineThemeOverride = createTheme({
  primaryColor: 'cyan',
  primaryShade: 9,
  autoContrast: true,
  respectReducedMotion: true,
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: '650' },
  // Coloured titles on a tint of the same colour are too faint to read.
  components: { Alert: Alert.extend({ styles: { label: { color: 'var(--mantine-color-text)' } } }) },
});

/** The library's quiet text, its placeholders and its text of errors are too pale to read at 4.5:1; these are not. */
export const resolveVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#565d64',
    '--mantine-color-placeholder': '#565d64',
    '--mantine-color-error': '#a61e1e',
    // Behind a button's text while the mouse is on it.
    '--mantine-color-cyan-light-hover': '#c5f6fa',
  },
  dark: {
    '--mantine-color-dimmed': '#b0b6bc',
    '--mantine-color-placeholder': '#b0b6bc',
    '--mantine-color-error': '#ff9c9c',
  },
});
