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

export * from "./objects";
export * from "./services";

import type { Syncher } from "./objects";
import type {
  Chat, ChatController, ChatManager, ContextObserver, ContextReporter, Discovery, IdentityManager,
  Logger, NotificationHandler, RegistrationStatus, Search, SimpleChatManager,
} from "./services";

export interface DividedURL {
  type: string;
  domain: string;
  /** The rest with its slash, or `scheme://name@domain` where the domain names somebody. */
  identity: string;
}

/** Who somebody is, for messages of those who have no identity here. */
export interface BodyIdentity {
  idp: string;
  assertion?: string;
  userProfile: UserProfile;
}

export interface UserProfile {
  userURL?: string;
  guid?: string;
  preferred_username?: string;
  name?: string;
  email?: string;
  picture?: string;
  locale?: string;
  [member: string]: any;
}

/** The service framework. Each call makes a new object. */
export interface Factory {
  divideURL(url: string): DividedURL;
  createMessageBodyIdentity(
    username: string, userURL: string | undefined, picture: string | undefined, name: string | undefined,
    locale: string | undefined, idp: string, assertion?: string, profile?: object,
  ): BodyIdentity;
  createSyncher(owner: string, bus: Bus, configuration: Configuration): Syncher;
  createIdentityManager(owner: string, runtimeURL: string, bus: Bus): IdentityManager;
  createDiscovery(owner: string, runtimeURL: string, bus: Bus): Discovery;
  createSearch(discovery: Discovery, identityManager: IdentityManager): Search;
  createContextObserver(
    owner: string, bus: Bus, configuration: Configuration, contextResourceTypes: string[],
  ): ContextObserver;
  createContextReporter(owner: string, bus: Bus, configuration: Configuration): ContextReporter;
  createNotificationHandler(bus: Bus): NotificationHandler;
  createChatManager(owner: string, bus: Bus, configuration: Configuration, syncher?: Syncher): ChatManager;
  createChatController(
    syncher: Syncher, discovery: Discovery, domain: string, search: Search, identity?: object, manager?: ChatManager,
  ): ChatController;
  createSimpleChatManager(
    owner: string, bus: Bus, configuration: Configuration, syncher?: Syncher,
  ): SimpleChatManager;
  createChat(syncher: Syncher, domain: string, identity?: object, manager?: SimpleChatManager): Chat;
  createRegistrationStatus(url: string, runtimeURL: string, owner: string, bus: Bus): RegistrationStatus;
  /**
   * The instance of another hyperty, by its address or its catalogue URL: itself in the same sandbox, else
   * a proxy on which calls, `await`ed members and assignments become messages. `timeout` in milliseconds, 15 000.
   */
  requireHyperty(url: string, options?: { timeout?: number }): Promise<any>;
  /** Log lines with a level below which they are left out. */
  readonly logger: Logger;
}
