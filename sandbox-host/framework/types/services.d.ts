// Finding others, and what is built on data objects: conversations and contexts.

import type { Bus, UserProfile } from "./index";
import type {
  ChangeEvent, DataObjectChild, DataObjectObserver, DataObjectReporter, NotificationEvent, ResponseEvent, Syncher,
} from "./objects";

export interface Logger {
  trace(...args: unknown[]): void;
  debug(...args: unknown[]): void;
  /** As `debug`. */
  log(...args: unknown[]): void;
  info(...args: unknown[]): void;
  warn(...args: unknown[]): void;
  error(...args: unknown[]): void;
  setLevel(level: "trace" | "debug" | "info" | "warn" | "error" | "silent"): void;
  getLevel(): string;
  /** The same logger for the same name. */
  getLogger(name: string): Logger;
}

/** What the registry knows about a hyperty or a data object. */
export interface RegistryRecord {
  hypertyID?: string;
  url?: string;
  status?: "live" | "disconnected";
  runtime?: string;
  lastModified?: string;
  dataSchemes?: string[];
  resources?: string[];
  descriptor?: string;
  userID?: string;
  [member: string]: any;
}

export interface IdentityManager {
  messageBus: Bus;
  domain: string;
  owner: string;
  runtimeURL: string;
  /** `.` for the whole profile, or one of its members. Rejects with a text. */
  discoverUserRegistered(type?: string, hyperty?: string): Promise<UserProfile | any>;
  discoverIdentityPerIdP(idp: string): Promise<any>;
}

/** Each has a twin that ends in `DO` and gives objects that tell when they come and go. */
export interface Discovery {
  messageBus: Bus;
  runtimeURL: string;
  domain: string;
  discoveryURL: string;
  discoverHyperties(user: string, schema?: string[], resources?: string[], domain?: string): Promise<RegistryRecord[]>;
  discoverDataObjects(user: string, schema?: string[], resources?: string[], domain?: string): Promise<RegistryRecord[]>;
  discoverHypertyPerURL(url: string, domain?: string): Promise<RegistryRecord | RegistryRecord[]>;
  discoverDataObjectPerURL(url: string, domain?: string): Promise<RegistryRecord | RegistryRecord[]>;
  discoverDataObjectsPerName(name: string, schema?: string[], resources?: string[], domain?: string): Promise<RegistryRecord[]>;
  discoverDataObjectsPerReporter(reporter: string, schema?: string[], resources?: string[], domain?: string): Promise<RegistryRecord[]>;
  discoverHypertiesPerGUID(guidURL: string, schema?: string[], resources?: string[]): Promise<RegistryRecord[]>;
  discoverDataObjectsPerGUID(guidURL: string, schema?: string[], resources?: string[]): Promise<RegistryRecord[]>;
  discoverHypertiesPerUserProfileData(text: string, schema?: string[], resources?: string[]): Promise<RegistryRecord[]>;
  discoverDataObjectsPerUserProfileData(text: string, schema?: string[], resources?: string[]): Promise<RegistryRecord[]>;
  discoverHypertiesDO(user: string, schema?: string[], resources?: string[], domain?: string): Promise<DiscoveredObject[]>;
  discoverDataObjectsDO(user: string, schema?: string[], resources?: string[], domain?: string): Promise<DiscoveredObject[]>;
  discoverHypertyPerURLDO(url: string, domain?: string): Promise<any>;
  discoverDataObjectPerURLDO(url: string, domain?: string): Promise<any>;
  discoverDataObjectsPerNameDO(name: string, schema?: string[], resources?: string[], domain?: string): Promise<DiscoveredObject[]>;
  discoverDataObjectsPerReporterDO(reporter: string, schema?: string[], resources?: string[], domain?: string): Promise<DiscoveredObject[]>;
  discoverHypertiesPerGUIDDO(guidURL: string, schema?: string[], resources?: string[]): Promise<DiscoveredObject[]>;
  discoverDataObjectsPerGUIDDO(guidURL: string, schema?: string[], resources?: string[]): Promise<DiscoveredObject[]>;
  discoverHypertiesPerUserProfileDataDO(text: string, schema?: string[], resources?: string[]): Promise<DiscoveredObject[]>;
  discoverDataObjectsPerUserProfileDataDO(text: string, schema?: string[], resources?: string[]): Promise<DiscoveredObject[]>;
  resumeDiscoveries(): Promise<DiscoveredObject[]>;
  /** @deprecated */
  discoverDataObject(name: string, schema?: string[], resources?: string[], domain?: string): Promise<any>;
  /** @deprecated */
  discoverHyperty(user: string, schema?: string[], resources?: string[], domain?: string): Promise<any>;
  /** @deprecated */
  discoverHypertyPerUser(email: string, domain?: string): Promise<any>;
  /** @deprecated */
  discoverHypertiesPerUser(email: string, domain?: string): Promise<any>;
}

/** Tells when a hyperty or a data object comes and goes. */
export interface RegistrationStatus {
  /** The callback comes some seconds after the news, when the other is ready. */
  onLive(subscriber: string, callback: () => void): Promise<void>;
  onDisconnected(subscriber: string, callback: () => void): Promise<void>;
  unsubscribeLive(subscriber: string): Promise<void>;
  unsubscribeDisconnected(subscriber: string): Promise<void>;
}

export interface DiscoveredObject extends RegistrationStatus {
  readonly data: RegistryRecord;
  /** The status, if the registry knows the address. */
  check(): Promise<string | undefined>;
}

export interface Search {
  discovery: Discovery;
  identityManager: IdentityManager;
  /** The profile of this component's user. */
  myIdentity(): Promise<UserProfile>;
  /** Published without a body. */
  hyperties(): void;
  users(
    userURLs: string[], domains: string[], schemes: string[], resources: string[], global?: boolean,
  ): Promise<RegistryRecord[]>;
}

/** For stubs: invitations that come from elsewhere. */
export interface NotificationHandler {
  onNotification(scheme: string, callback: (event: any) => void): void;
  onCreate(message: any): void;
  onDelete(message: any): void;
}

/** One callback for each type: the last. */
export interface EventEmitter {
  addEventListener(type: string, callback: (params: any) => void): void;
  trigger(type: string, params?: any): void;
}

export interface ContextValue {
  name: string;
  value: any;
  unit?: string;
}

export interface ContextReporter extends EventEmitter {
  syncher: Syncher;
  domain: string;
  contexts: Record<string, DataObjectReporter>;
  contextDescURL: string;
  /** Takes up what was reported before a restart; false when there is nothing. */
  start(): Promise<Record<string, DataObjectReporter> | false>;
  create(
    id: string, init: { values: ContextValue[]; [member: string]: any }, resources: string[], name?: string,
    reporter?: string | null, reuseURL?: string | boolean | null,
  ): Promise<DataObjectReporter>;
  setContext(id: string, values: ContextValue[]): void;
  processNotification(event: NotificationEvent): void;
}

export interface ContextObserver extends EventEmitter {
  start(
    resumedContext?: ContextValue[], disconnected?: (observer: DataObjectObserver) => void,
  ): Promise<Record<string, DataObjectObserver> | false>;
  resumeDiscoveries(): Promise<RegistryRecord[]>;
  onResumeObserver(callback: (observers: Record<string, DataObjectObserver>) => void): void;
  /** Live records; when all are disconnected, the first to become live. */
  discoverUsers(email: string, domain: string): Promise<RegistryRecord[]>;
  observe(hyperty: RegistryRecord, domainSubscription?: boolean): Promise<DataObjectObserver>;
  unobserve(context: any): void;
}

/** Somebody to be invited: for a ChatManager `user` is a user's name, for a SimpleChatManager hyperties are named. */
export interface Invited {
  user: string;
  domain: string;
}

export interface SentMessage {
  childId: string;
  from: string;
  value: any;
  type: "create";
  identity?: any;
}

/** What both managers do. */
export interface Conversations<C> {
  identityManager: IdentityManager;
  communicationObject: object;
  communicationChildren: object;
  /** Address of the hyperty that keeps the conversations while this one is away. */
  offline: string | false;
  join(url: string, mutual?: boolean, identity?: object): Promise<C>;
  onInvitation(callback: (event: NotificationEvent) => void): void;
  /** To be called with what the Syncher notifies of. */
  processNotification(event: NotificationEvent): void;
  myIdentity(identity?: object): Promise<UserProfile>;
}

export interface ChatManager extends Conversations<ChatController> {
  discovery: Discovery;
  search: Search;
  create(name: string, users: Invited[], extra?: object): Promise<ChatController>;
}

export interface SimpleChatManager extends Conversations<Chat> {
  backup: string | boolean;
  /** Hyperties are named by their addresses. */
  create(name: string, hyperties: any[], extra?: object): Promise<Chat>;
  onNotification(callback: (event: NotificationEvent) => void): void;
}

/** A conversation, as its reporter or as one who joined. */
export interface Conversation {
  controllerMode: string;
  myIdentity: any;
  domain: string;
  readonly url: string;
  readonly dataObject: DataObjectReporter | DataObjectObserver;
  readonly messages: Record<string, DataObjectChild>;
  dataObjectReporter: DataObjectReporter;
  dataObjectObserver: DataObjectObserver;
  closeEvent: any;
  child_cseq: number;
  send(message: any, identity?: object): Promise<SentMessage>;
  sendFile(file: File): Promise<any>;
  onMessage(callback: (child: any) => void): void;
  onChange(callback: (event: ChangeEvent) => void): void;
  onUserAdded(callback: (participant: any) => void): void;
  onUserRemoved(callback: (participant: any) => void): void;
  onClose(callback: (event: any) => void): void;
  onResponse(callback: (event: ResponseEvent) => void): void;
  onInvitationResponse(callback: (event: any) => void): void;
  onTyping(callback: (event: any) => void): void;
  /** Tells the others that this side's user types. */
  typing(): void;
  addUser(users: any[]): Promise<true>;
  addUserReq(users: any[]): Promise<unknown>;
  removeUser(user: any): Promise<unknown>;
  close(del?: boolean): Promise<true>;
}

export interface ChatController extends Conversation {
  discovery: Discovery;
  search: Search;
  readonly invitationsHandler: InvitationsHandler;
}

export interface Chat extends Conversation {}

/** Invites those who are away as soon as they come. */
export interface InvitationsHandler {
  invitationResponse: (event: any) => void;
  processInvitations(live: any[], reporter: DataObjectReporter): void;
  inviteDisconnectedHyperties(disconnected: DiscoveredObject[], reporter: DataObjectReporter): void;
  resumeDiscoveries(discovery: Discovery, reporter: DataObjectReporter): Promise<unknown>;
  cleanInvitations(reporter: DataObjectReporter): Promise<unknown>;
}
