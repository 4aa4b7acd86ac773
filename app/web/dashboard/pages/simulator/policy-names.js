/** Display names of policies. */

/** "epsilon_greedy" as "Epsilon-greedy". */
export function kindName(kind) {
  const text = kind.replaceAll("_", " ").replace("epsilon greedy", "epsilon-greedy").replace("ucb1", "UCB1");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** The names of the policies of a run: the kind, with its parameters if a kind occurs more than once. */
export function policyNames(policies) {
  const kinds = policies.map(({ kind }) => kind);
  return policies.map((policy) => {
    if (kinds.filter((kind) => kind === policy.kind).length === 1) return kindName(policy.kind);
    const parameters = Object.entries(policy.parameters ?? withoutKind(policy)).map(([name, value]) => `${name.replaceAll("_", " ")} ${[value].flat().join("/")}`);
    return parameters.length ? `${kindName(policy.kind)}, ${parameters.join(", ")}` : kindName(policy.kind);
  });
}

const withoutKind = ({ kind: _, ...rest }) => rest;
