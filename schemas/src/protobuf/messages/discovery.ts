/** Discovery: k8s.io/apimachinery/pkg/apis/meta/v1, and k8s.io/api/apidiscovery/v2. */
import type { Messages } from '../messages.ts';

export const discoveryMessages: Messages = {
  ServerAddressByClientCIDR: { clientCIDR: [1, 'string'], serverAddress: [2, 'string'] },
  APIVersions: { versions: [1, 'string[]'], serverAddressByClientCIDRs: [2, 'ServerAddressByClientCIDR[]'] },
  GroupVersionForDiscovery: { groupVersion: [1, 'string'], version: [2, 'string'] },
  APIGroup: {
    name: [1, 'string'],
    versions: [2, 'GroupVersionForDiscovery[]'],
    preferredVersion: [3, 'GroupVersionForDiscovery'],
    serverAddressByClientCIDRs: [4, 'ServerAddressByClientCIDR[]'],
  },
  APIGroupList: { groups: [1, 'APIGroup[]'] },
  Verbs: { items: [1, 'string[]'] },
  APIResource: {
    name: [1, 'string'],
    namespaced: [2, 'bool'],
    kind: [3, 'string'],
    verbs: [4, 'Verbs'],
    shortNames: [5, 'string[]'],
    singularName: [6, 'string'],
    categories: [7, 'string[]'],
    group: [8, 'string'],
    version: [9, 'string'],
    storageVersionHash: [10, 'string'],
  },
  APIResourceList: { groupVersion: [1, 'string'], resources: [2, 'APIResource[]'] },
  GroupVersionKind: { group: [1, 'string'], version: [2, 'string'], kind: [3, 'string'] },
  APISubresourceDiscovery: {
    subresource: [1, 'string'],
    responseKind: [2, 'GroupVersionKind'],
    acceptedTypes: [3, 'GroupVersionKind[]'],
    verbs: [4, 'string[]'],
  },
  APIResourceDiscovery: {
    resource: [1, 'string'],
    responseKind: [2, 'GroupVersionKind'],
    scope: [3, 'string'],
    singularResource: [4, 'string'],
    verbs: [5, 'string[]'],
    shortNames: [6, 'string[]'],
    categories: [7, 'string[]'],
    subresources: [8, 'APISubresourceDiscovery[]'],
  },
  APIVersionDiscovery: { version: [1, 'string'], resources: [2, 'APIResourceDiscovery[]'], freshness: [3, 'string'] },
  APIGroupDiscovery: { metadata: [1, 'ObjectMeta'], versions: [2, 'APIVersionDiscovery[]'] },
  APIGroupDiscoveryList: { metadata: [1, 'ListMeta'], items: [2, 'APIGroupDiscovery[]'] },
};

/** Kinds that are no objects; what they lie in says nothing of which group they are. */
export const DISCOVERY: ReadonlySet<string> = new Set([
  ...['APIVersions', 'APIGroup', 'APIGroupList', 'APIResourceList', 'APIGroupDiscoveryList'],
]);
