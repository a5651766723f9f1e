/** Of vitest: the modules whose paths match, by path. For tests only. */
interface ImportMeta {
  glob<M>(pattern: string, options: { eager: true }): Record<string, M>;
}
