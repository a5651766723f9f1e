import type { Metrics } from '../runtime/metrics.ts';
import type { Admission } from './admission.ts';
import type { Traffic } from './fleet-endpoint.ts';

export interface FleetFigures {
  traffic: Traffic;
  streams(): number;
  hosts(): number;
  pendingCommands(): number;
  admission: Pick<Admission, 'waiting' | 'admitted' | 'sentAway'>;
}

/** Lets a scrape read what the fleet counts anyway. */
export function countFleet(
  metrics: Metrics,
  { traffic, streams, hosts, pendingCommands, admission }: FleetFigures,
): void {
  const messages = 'Messages on agents’ streams.';
  const bytes = 'Bytes of frames on agents’ streams, before HTTP/2 and TLS.';
  const received = { direction: 'received' };
  const sent = { direction: 'sent' };
  metrics.readCounter('plumb_fleet_messages_total', messages, received, () => traffic.messagesReceived);
  metrics.readCounter('plumb_fleet_messages_total', messages, sent, () => traffic.messagesSent);
  metrics.readCounter('plumb_fleet_bytes_total', bytes, received, () => traffic.bytesReceived);
  metrics.readCounter('plumb_fleet_bytes_total', bytes, sent, () => traffic.bytesSent);
  metrics.readGauge('plumb_fleet_streams', 'Open streams of agents.', {}, streams);
  metrics.readGauge('plumb_fleet_hosts', 'Hosts that are attached.', {}, hosts);
  metrics.readGauge('plumb_fleet_commands', 'Commands that hosts have not answered.', {}, pendingCommands);
  metrics.readGauge('plumb_fleet_attaches_waiting', 'Hosts that wait to be let in.', {}, () => admission.waiting);
  const attaches = 'Hosts that asked to attach, by what they were told.';
  metrics.readCounter('plumb_fleet_attaches_total', attaches, { outcome: 'admitted' }, () => admission.admitted);
  metrics.readCounter('plumb_fleet_attaches_total', attaches, { outcome: 'sent_away' }, () => admission.sentAway);
}
