export * from './explorer/write-explorer.ts';
export * from './figures/figure.ts';
export * from './gather/report-data.ts';
export * from './page/html.ts';
export * from './page/palette.ts';
export * from './page/style.ts';
export type { Ceilings } from './tables/comparison-table.ts';
export * from './write-report.ts';
