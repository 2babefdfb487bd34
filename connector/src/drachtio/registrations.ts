import type { Application } from './application.ts';

/** Which applications want new requests of which method, in turn. */
export class Registrations {
  readonly #byVerb = new Map<string, Application[]>();

  /** Registering twice counts twice, as in the reference. */
  add(verb: string, application: Application): void {
    const turn = this.#byVerb.get(verb);
    if (turn) turn.push(application);
    else this.#byVerb.set(verb, [application]);
  }

  /** Takes the application out of one verb; the reference would drop all its verbs. */
  remove(verb: string, application: Application): void {
    const rest = (this.#byVerb.get(verb) ?? []).filter((each) => each !== application);
    if (rest.length > 0) this.#byVerb.set(verb, rest);
    else this.#byVerb.delete(verb);
  }

  removeAll(application: Application): void {
    for (const verb of this.#byVerb.keys()) this.remove(verb, application);
  }

  /** The application whose turn it is. */
  next(verb: string): Application | undefined {
    const turn = this.#byVerb.get(verb) ?? [];
    const chosen = turn.shift();
    if (chosen) turn.push(chosen);
    return chosen;
  }
}
