/** What people call the policies. */

/** "epsilon_greedy" as a person would write it. */
export function kindName(kind) {
  const words = kind.replaceAll("_", " ").replace("epsilon greedy", "epsilon-greedy").replace("ucb1", "UCB1");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** The names of policies that played: the kind, with its parameters where a kind plays more than once. */
export function policyNames(policies) {
  const kinds = policies.map(({ kind }) => kind);
  return policies.map((policy) => {
    if (kinds.filter((kind) => kind === policy.kind).length === 1) return kindName(policy.kind);
    const told = Object.entries(policy.parameters ?? withoutKind(policy)).map(([name, value]) => `${name.replaceAll("_", " ")} ${[value].flat().join("/")}`);
    return told.length ? `${kindName(policy.kind)}, ${told.join(", ")}` : kindName(policy.kind);
  });
}

const withoutKind = ({ kind: _, ...rest }) => rest;
