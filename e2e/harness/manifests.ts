/** Manifests of a small estate, in parts, for tests that declare it with tools of their own. */
import type { Estate } from './estate.ts';

export const ZONE = `
apiVersion: plumb.dev/v1
kind: Zone
metadata: {name: home}
`;

export const HOST = `
apiVersion: plumb.dev/v1
kind: Host
metadata: {name: host-1}
spec: {zone: home}
`;

/** What an instance of the offering `small` with the image `tiny` on the network `lab` refers to. */
export const aroundInstances = ({ path, sha256, format }: Estate['image']) => `
apiVersion: plumb.dev/v1
kind: L2Network
metadata: {name: lab}
spec: {zone: home, type: vxlan, vni: 100}
---
apiVersion: plumb.dev/v1
kind: L3Network
metadata: {name: lab, namespace: default}
spec:
  l2Network: lab
  ipv4: {cidr: 10.20.0.0/24, gateway: 10.20.0.1, ranges: [{start: 10.20.0.10, end: 10.20.0.200}]}
---
apiVersion: plumb.dev/v1
kind: InstanceOffering
metadata: {name: small}
spec: {cpus: 1, memoryMiB: 128}
---
apiVersion: plumb.dev/v1
kind: Image
metadata: {name: tiny}
spec: {url: "file://${path}", sha256: "${sha256}", format: ${format}}
`;
