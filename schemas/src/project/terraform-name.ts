/** Names of kinds and fields as Terraform writes them. */

/** `l3Network` → `l3_network`, `memoryMiB` → `memory_mib`, `FloatingIP` → `floating_ip`, `nonResourceURLs` → `non_resource_urls`. */
export function snakeCase(camel: string): string {
  return camel
    .replace(/([KMGT])iB(?![a-z])/g, '$1ib')
    .replace(
      /(?<![A-Z])([A-Z])([A-Z]+)s(?![a-z])/g,
      (_, first: string, rest: string) => `${first}${rest.toLowerCase()}s`,
    )
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .toLowerCase();
}
