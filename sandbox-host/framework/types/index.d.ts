// What a component is handed when it starts: its address, the bus, its
// configuration, and the factory of the service framework.

/** What a message carries. The members that the runtime itself reads are named. */
export interface Body {
  /** In a response: 200 and above end the request. */
  code?: number;
  /** In a response that reports failure: why. Both spellings are sent. */
  desc?: string;
  description?: string;
  value?: any;
  method?: string;
  params?: any;
  resource?: string;
  source?: string;
  [member: string]: any;
}

/** What travels from address to address. */
export interface Message {
  /** The sender's number; given by the bus when it is absent. */
  id: number;
  type: MessageType;
  from: string;
  to: string;
  body: Body;
  [member: string]: any;
}

export type MessageType =
  | "create" | "read" | "update" | "delete" | "subscribe" | "unsubscribe"
  | "execute" | "forward" | "event" | "response" | (string & {});

/** A message yet to be sent: several receivers, no number and no body are permitted. */
export interface Outgoing {
  id?: number | string;
  type: MessageType;
  from: string;
  to: string | string[];
  body?: Body;
  [member: string]: any;
}

export interface Listener {
  readonly url: string;
  remove(): void;
}

export interface Binding {
  thisListener: Listener;
  targetListener: Listener;
  unbind(): void;
}

/** The only way out of a sandbox. Each component has a bus of its own. */
export interface Bus {
  /** Hears the messages to an address; `*` hears those that nothing else heard. */
  addListener(url: string, callback: (message: Message) => void): Listener;
  removeAllListenersOf(url: string): void;
  /**
   * Sends a message and returns its number. The callback gets each response; after
   * 15 s without one it gets code 408, unless `timeout` is false.
   */
  postMessage(message: Outgoing, callback?: (reply: Message) => void, timeout?: boolean): number | string;
  /** The same, repeated after 408 and 500. Rejects when all were in vain. */
  postMessageWithRetries(
    message: Outgoing, retries: number, callback?: (reply: Message) => void,
  ): Promise<Message>;
  addResponseListener(from: string, id: number, callback: (reply: Message) => void): void;
  removeResponseListener(from: string, id: number): void;
  bind(outUrl: string, inUrl: string, target: Bus): Binding;
}

/** The descriptor's `configuration`, and where the runtime is. */
export interface Configuration {
  runtimeURL: string;
  [member: string]: any;
}

/** What the default export of a component's module must be an instance of. */
export interface Component {
  name?: string;
  _start(url: string, bus: Bus, configuration: Configuration, factory: Factory): unknown;
}

export interface DividedURL {
  type: string;
  domain: string;
  identity: string;
}

/** The service framework. */
export interface Factory {
  divideURL(url: string): DividedURL;
}
