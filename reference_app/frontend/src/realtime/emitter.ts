type Listeners<Events extends { [Name in keyof Events]: unknown[] }> = {
  [Name in keyof Events]?: Set<(...args: Events[Name]) => void>;
};

/** Calls whoever listens, by the name of what happened. */
export class Emitter<Events extends { [Name in keyof Events]: unknown[] }> {
  private readonly listeners: Listeners<Events> = {};

  /** Call `listener` whenever it happens, until the function that is returned is called. */
  on<Name extends keyof Events>(name: Name, listener: (...args: Events[Name]) => void): () => void {
    const listeners = (this.listeners[name] ??= new Set());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  emit<Name extends keyof Events>(name: Name, ...args: Events[Name]): void {
    for (const listener of this.listeners[name] ?? []) {
      try {
        listener(...args);
      } catch (error) {
        // For the console, as from a DOM event: whoever tells must not be stopped half-way.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}
