// Lifecycles
//
// A lifecycle is a total table: every action in every state has a cell, and the compiler counts them. A cell holds the
// state that the action leads to, or null where the action is refused. The same table drives the entity (`nextState`)
// and what a caller is told it may do (`availableActions`), so that the two cannot disagree.

/** For every state and action: the state that follows, or `null` for "not from here". */
export type Lifecycle<State extends string, Action extends string> = Readonly<
  Record<State, Readonly<Record<Action, State | null>>>
>;

/** The state that `action` leads to from `state`, or `null` if it is not possible there. */
export function nextState<State extends string, Action extends string>(
  table: Lifecycle<State, Action>,
  state: State,
  action: Action,
): State | null {
  return table[state][action];
}

/** The actions that are possible in `state`, in the order of the table. */
export function availableActions<State extends string, Action extends string>(
  table: Lifecycle<State, Action>,
  state: State,
): Action[] {
  const actions: Action[] = [];
  const row: Readonly<Record<Action, State | null>> = table[state];
  for (const action in row) {
    if (row[action] !== null) actions.push(action);
  }
  return actions;
}

/** Whether nothing can happen any more in `state`. */
export function isTerminal<State extends string, Action extends string>(
  table: Lifecycle<State, Action>,
  state: State,
): boolean {
  return availableActions(table, state).length === 0;
}
