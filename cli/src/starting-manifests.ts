/** What `plumb init` writes: the smallest estate that makes sense, with what is to be filled in. */

export const STARTING: Readonly<Record<string, string>> = {
  'hosts.yaml': `apiVersion: plumb.dev/v1
kind: Zone
metadata: {name: home}
---
# A machine that runs instances. "plumb join-token create --host host-1" makes the token with which its agent joins.
apiVersion: plumb.dev/v1
kind: Host
metadata: {name: host-1}
spec: {zone: home}
`,
  'networks.yaml': `apiVersion: plumb.dev/v1
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
  dns: {domain: lab.internal}
`,
  'instances.yaml': `apiVersion: plumb.dev/v1
kind: InstanceOffering
metadata: {name: small}
spec: {cpus: 1, memoryMiB: 512}
---
# Fill in the URL of a cloud image and its SHA-256 (sha256sum FILE). Hosts fetch only from where their operator allows.
apiVersion: plumb.dev/v1
kind: Image
metadata: {name: base}
spec:
  url: https://images.example.com/base.qcow2
  sha256: "0000000000000000000000000000000000000000000000000000000000000000"
  format: qcow2
---
apiVersion: plumb.dev/v1
kind: Instance
metadata: {name: web-0, namespace: default}
spec:
  zone: home
  offering: small
  image: base
  interfaces: [{name: eth0, l3Network: lab}]
`,
};
