// Data objects: one component reports, others observe, all add children.

import type { Configuration } from "./index";

/** What is known about a data object besides its data. */
export interface Metadata {
  url: string;
  schema: string;
  reporter: string;
  runtime: string;
  name: string;
  created: string;
  status?: string;
  version?: number;
  resources?: string[];
  [member: string]: any;
}

/** An invitation, or the end of an object. */
export interface NotificationEvent {
  type: "create" | "delete";
  /** The data object. */
  url: string;
  from?: string;
  domain?: string;
  schema?: string;
  /** Its metadata. */
  value?: Metadata;
  p2p?: boolean;
  identity?: any;
  /** Why it has ended, where the runtime ended it. */
  desc?: string;
  ack(code?: number): void;
}

export interface CloseEvent {
  type: "close";
  ack(code?: number): void;
}

export interface SubscriptionEvent {
  type: "subscribe" | "unsubscribe";
  /** The observer. */
  url: string;
  domain: string;
  identity?: any;
  mutual?: boolean;
  /** The name that published components read for `mutual`. */
  nutual?: boolean;
  /** With `subscribe`. */
  accept(): void;
  /** With `subscribe`. */
  reject(reason: string): void;
}

export interface ReadEvent {
  type: "read";
  url: string;
  identity?: any;
  accept(): void;
  reject(reason: string): void;
}

export interface ExecuteEvent {
  type: "execute";
  url: string;
  method: string;
  params: unknown[];
  identity?: any;
  accept(): void;
  reject(reason: string): void;
}

export interface ResponseEvent {
  type: "response";
  url: string;
  code: number;
}

/** One change of the data. */
export interface ChangeEvent {
  cType: "add" | "update" | "remove";
  /** What has the field. */
  oType: "object" | "array";
  /** Its path, joined by dots. */
  field: string;
  /** The value, live; of an array's removal how many elements went. */
  data: any;
}

export interface ObjectEvent {
  from: string;
  value: any;
  identity?: any;
}

export interface AddChildEvent {
  type: "create";
  from: string;
  url: string;
  value: any;
  childId: string;
  identity?: any;
  child: DataObjectChild;
  resource?: HypertyResource;
}

export interface DeleteChildEvent {
  type: "delete";
  from: string;
  url: string;
  childId: string;
  child: DataObjectChild;
}

/** `resources`, `reuseURL`, `mutual`, `domain_registration` and other metadata. */
export interface ObjectInput {
  resources?: string[];
  reuseURL?: string | boolean;
  mutual?: boolean;
  domain_registration?: boolean;
  domain_routing?: boolean;
  [member: string]: any;
}

export interface SubscribeInput {
  resource: string;
  schema?: string;
  store?: boolean;
  p2p?: boolean;
  mutual?: boolean;
  domain_subscription?: boolean;
  identity?: any;
  offline?: string;
}

/** Makes data objects, and observes those of others. */
export interface Syncher {
  readonly owner: string;
  /** Live: by address. */
  readonly reporters: Record<string, DataObjectReporter>;
  readonly observers: Record<string, DataObjectObserver>;
  /** Makes a data object and invites observers. Throws without `schema` or `observers`. */
  create<T extends object = any>(
    schema: string, observers: string[], initialData: T, store?: boolean, p2p?: boolean, name?: string,
    identity?: object, input?: ObjectInput,
  ): Promise<DataObjectReporter<T>>;
  /** Takes up again what this component reported: all reporters by address. */
  resumeReporters(criteria?: object): Promise<Record<string, DataObjectReporter>>;
  subscribe<T extends object = any>(input: SubscribeInput): Promise<DataObjectObserver<T>>;
  /** The published form of old. */
  subscribe<T extends object = any>(
    schema: string, url: string, store?: boolean, p2p?: boolean, mutual?: boolean,
    domainSubscription?: boolean, identity?: object,
  ): Promise<DataObjectObserver<T>>;
  resumeObservers(criteria?: object): Promise<Record<string, DataObjectObserver>>;
  /** Metadata with `data`, `version` and `childrenObjects`. */
  read(url: string, criteria?: object): Promise<any>;
  /** Invitations and ends. One handler: the last. */
  onNotification(callback: (event: NotificationEvent) => void): void;
  onClose(callback: (event: CloseEvent) => void): void;
  onReportersResume(callback: (reporters: Record<string, DataObjectReporter>) => void): void;
  onObserversResume(callback: (observers: Record<string, DataObjectObserver>) => void): void;
}

/** What reporter and observer have in common. */
export interface DataObject<T extends object = any> {
  readonly metadata: Metadata;
  readonly url: string;
  readonly schema: string;
  readonly status: string;
  readonly name: string;
  /** Live: a reporter's changes reach every observer, at any depth. */
  readonly data: T;
  readonly childrens: Record<string, DataObjectChild>;
  /** Reads it again; false when it could not be read. */
  sync(): Promise<boolean>;
  /** Throws: published so. */
  pause(): never;
  resume(): never;
  stop(): never;
  sendEvent(value: any): void;
  onEvent(callback: (event: ObjectEvent) => void): void;
  /** Resolves at once; see the child's `sharingStatus`. */
  addChild(initialData: object, identity?: object, input?: object): Promise<DataObjectChild>;
  addHypertyResource(type: "file", resource: File, identity?: object, input?: object): Promise<HypertyResource>;
  onAddChild(callback: (event: AddChildEvent) => void): void;
  onDeleteChild(callback: (event: DeleteChildEvent) => void): void;
  resumeChildrens(kept: object): void;
}

export interface DataObjectReporter<T extends object = any> extends DataObject<T> {
  /** One for each invited hyperty. */
  readonly invitations: Promise<unknown>[];
  readonly subscriptions: Record<string, { url: string; status: string }>;
  readonly childrensJSON: Record<string, any>;
  inviteObservers(observers: string[], p2p?: boolean): void;
  /** Ends it for all. */
  delete(): void;
  onSubscription(callback: (event: SubscriptionEvent) => void): void;
  onResponse(callback: (event: ResponseEvent) => void): void;
  onRead(callback: (event: ReadEvent) => void): void;
  onExecute(callback: (event: ExecuteEvent) => void): void;
}

export interface DataObjectObserver<T extends object = any> extends DataObject<T> {
  /** `*` any change, `x.*` those below `x`, else one field. */
  onChange(filter: string, callback: (event: ChangeEvent) => void): void;
  unsubscribe(): void;
  delete(): void;
  /** Resolves when the runtime will tell. */
  onDisconnected(callback: () => void): Promise<void>;
  /** Has the reporter do something; rejects with its reason. */
  execute(method: string, params: unknown[]): Promise<void>;
}

export interface DataObjectChild {
  readonly childId: string;
  readonly data: any;
  readonly metadata: any;
  readonly shareable: any;
  identity: any;
  /** False until it is shared. */
  readonly sharingStatus: false | Promise<{ code: number; desc?: string }>;
  share(toReporter?: boolean): void;
  store(): void;
  /** Ends it for all participants; only its maker may. */
  delete(): unknown;
  onChange(callback: (event: ChangeEvent) => void): void;
  onResponse(callback: (event: ResponseEvent) => void): void;
}

/** A child with content of its own. */
export interface HypertyResource extends DataObjectChild {
  readonly resourceType: string;
  readonly mimetype: string;
  readonly content: any;
  readonly contentURL: string[];
  readonly arraybufferSizeLimit: number;
  save(): Promise<unknown>;
  read(progress?: (percentage: number) => void): Promise<this>;
  delete(): Promise<boolean>;
}

export interface FileHypertyResource extends HypertyResource {
  readonly name: string;
  readonly preview: string | undefined;
  init(file: File | Blob | ArrayBuffer | ArrayBufferView | string): Promise<unknown>;
}

export type { Configuration };
