/** Who may reach whom in a deployed network on Kubernetes: nothing but what the network needs. */

import type { Unit } from './units.ts';
import type { Yaml } from './yaml.ts';

/** Everything may ask for names, and nothing else goes anywhere unless a policy of its own says so. */
export function denyAll() {
  return policy('deny-all', {}, [], [{ ports: [portOf(53, 'UDP'), portOf(53)] }]);
}

function portOf(port: number, protocol = 'TCP') {
  return { port, protocol };
}

function policy(name: string, podSelector: Yaml, ingress: Yaml[], egress: Yaml[]) {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: { name },
    spec: { podSelector, policyTypes: ['Ingress', 'Egress'], ingress, egress },
  };
}

/** Pods of one kind, of one organisation or of all. */
function podsOf(component: string, mspId?: string) {
  const organization = mspId === undefined ? {} : { 'assay.org/organization': mspId };
  return { podSelector: { matchLabels: { 'app.kubernetes.io/component': component, ...organization } } };
}

/** Contract servers hear their own peer only; nodes hear nodes, clients and the operator of this namespace. */
export function unitPolicy(unit: Unit) {
  const own = { matchLabels: { 'app.kubernetes.io/name': unit.name } };
  const everybody = ['orderer', 'peer', 'client', 'operator'].map((component) => podsOf(component));
  if (unit.kind === 'contracts') return policy(unit.name, own, [{ from: [podsOf('peer', unit.mspId)] }], []);
  if (unit.kind === 'authority') return policy(unit.name, own, [{ from: [podsOf('operator')] }], []);
  const reaches = [podsOf('orderer'), podsOf('peer')];
  if (unit.kind === 'peer') reaches.push(podsOf('contracts', unit.mspId));
  return policy(unit.name, own, [{ from: everybody }], [{ to: reaches }]);
}

/** The market's servers reach the peers; who calls them, and what else they need, is for policies of their own. */
export function clientPolicy() {
  return policy('client', podsOf('client').podSelector, [], [{ to: [podsOf('peer')] }]);
}

/** Whoever sets the network up reaches all nodes. */
export function operatorPolicy(name: string) {
  const nodes = ['orderer', 'peer'].map((component) => podsOf(component));
  return policy(name, podsOf('operator').podSelector, [], [{ to: nodes }]);
}
