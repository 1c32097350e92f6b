// Made from proto/wire by scripts/protoc-gen-parley.mjs. Do not edit.

export type ConversationKind = 'peer' | 'room' | 'group';

/** What a place in a conversation holds. */
export type EntryKind = 'message' | 'tip' | 'membership' | 'erased';

export type Reason = 'otherDevice' | 'tokenExpired';

/**
 * A conversation as the signed-in user sees it: for PEER the id is the other
 * user's ID.
 */
export interface ConversationRef {
  readonly kind: ConversationKind | undefined;
  readonly id: string;
}

/** Sends one message. Answered once it is durable. */
export interface SendMessage {
  readonly conversation: ConversationRef | undefined;
  /**
   * 16 bytes, the same on every retry: issued_at_ms in 6 bytes, the most
   * significant first, then 10 random ones.
   */
  readonly clientMessageID: string;
  /** Server-clock time of the first attempt; the same on every retry. */
  readonly issuedAt: number;
  /** ZIM's numbers: 1 text, 2 command, 200 custom. */
  readonly type: number;
  /**
   * What is said, encoded once by the sender and carried verbatim from there on:
   * a retry has the same bytes.
   */
  readonly content: Content | undefined;
}

/** What a message says. Nodes check it and look no further. */
export interface Content {
  /** Custom messages: 0 to 200. */
  readonly subType: number;
  /** 1 low, 2 medium, 3 high; 0 means low. */
  readonly priority: number;
  /** Text and custom: UTF-8. Command: any bytes. */
  readonly body: Uint8Array;
  readonly extendedData: string;
  readonly searchedContent: string;
  readonly mentionedUserIDs: readonly string[];
  readonly mentionAll: boolean;
}

export interface SendMessageReply {
  readonly messageID: string;
  /** 0 for a command message, which is not stored. */
  readonly seq: number;
  readonly orderKey: number;
  readonly timestamp: number;
  /**
   * True when this client message id had been accepted before: the numbers
   * are those of the first time.
   */
  readonly duplicate: boolean;
}

/**
 * A message as everybody sees it. For a peer conversation the viewer's
 * conversation id is target_id when the viewer is the sender, else sender_id.
 */
export interface Message {
  readonly kind: ConversationKind | undefined;
  readonly senderID: string;
  /** The other user, the room or the group. */
  readonly targetID: string;
  readonly messageID: string;
  /** Position in the conversation, 1, 2, 3 ...; 0 for command messages. */
  readonly seq: number;
  readonly orderKey: number;
  readonly timestamp: number;
  readonly type: number;
  readonly clientMessageID: string;
  /** Running number of the entries that count as unread. */
  readonly counted: number;
  /** As the sender encoded it; none when it was erased. */
  readonly content: Content | undefined;
  readonly entry: EntryKind | undefined;
  /** The conversation's rev when this entry was last changed; 0: never. */
  readonly rev: number;
}

/**
 * Erases what a message of the user's says, for everybody: what is left is its
 * place. Asked again, it is answered alike.
 */
export interface RecallMessage {
  readonly conversation: ConversationRef | undefined;
  readonly seq: number;
}

export interface RecallMessageReply {
  /** The conversation's rev that counts this change. */
  readonly rev: number;
}

/**
 * Asks for messages with after_seq < seq < before_seq (0: no bound), at most
 * count of them, the newest ones when newest_first, else the oldest ones.
 */
export interface QueryMessages {
  readonly conversation: ConversationRef | undefined;
  readonly afterSeq: number;
  readonly beforeSeq: number;
  /** 1 to 100. */
  readonly count: number;
  readonly newestFirst: boolean;
  /**
   * About how many bytes the page may have, for clients on slow lines; 0, or
   * more than the node's own limit, is that limit. A page always has one message.
   */
  readonly maxBytes: number;
}

export interface QueryMessagesReply {
  /** Always in ascending seq. */
  readonly messages: readonly Message[];
  /** The range that this page covers, inclusive; both 0 when it covers none. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly headSeq: number;
  /** The conversation's newest rev. */
  readonly headRev: number;
}

/**
 * Asks what has become of messages that stood there before: the changes after
 * after_rev, at most count of them. A device that was away asks with the rev that
 * it knows, and with QueryMessages for what is new.
 */
export interface QueryChanges {
  readonly conversation: ConversationRef | undefined;
  readonly afterRev: number;
  /** 1 to 100. */
  readonly count: number;
}

export interface QueryChangesReply {
  /** The changed messages as they are now, in ascending rev of the change; each once. */
  readonly messages: readonly Message[];
  /** The changes up to here are covered. */
  readonly lastRev: number;
  readonly headRev: number;
}

/** Asks for the user's conversations, latest first. */
export interface ListConversations {
  /** 1 to 500; ignored when only is given. */
  readonly count: number;
  /**
   * Continue after this conversation: its order_key and reference, as in the
   * last element of the page before. 0 starts at the top.
   */
  readonly beforeOrderKey: number;
  readonly before: ConversationRef | undefined;
  /** Only those whose last message is of this time or later. 0: all. */
  readonly changedSince: number;
  /** Only these. */
  readonly only: readonly ConversationRef[];
  readonly pinnedOnly: boolean;
}

export interface ListConversationsReply {
  readonly conversations: readonly Conversation[];
  /** Of all conversations; absent in the answer to a request for only some. */
  readonly totalUnread: number | undefined;
  /** True when nothing is left after this page. */
  readonly complete: boolean;
}

export interface Conversation {
  readonly ref: ConversationRef | undefined;
  /** The other user's name, or the group's. */
  readonly name: string;
  readonly avatarUrl: string;
  readonly headSeq: number;
  readonly unread: number;
  /** Messages up to here are read. */
  readonly readSeq: number;
  readonly orderKey: number;
  readonly lastMessage: Message | undefined;
  readonly pinned: boolean;
  /** The user does not want to be disturbed by it. */
  readonly muted: boolean;
  readonly draft: string;
}

/** Changes what the user has set for a conversation; what is absent stays. */
export interface UpdateConversation {
  readonly conversation: ConversationRef | undefined;
  readonly pinned: boolean | undefined;
  readonly muted: boolean | undefined;
  readonly draft: string | undefined;
}

export interface UpdateConversationReply {
  readonly settings: ConversationSettings | undefined;
}

export interface ConversationSettings {
  readonly conversation: ConversationRef | undefined;
  readonly pinned: boolean;
  readonly muted: boolean;
  readonly draft: string;
}

/** Another device of the user's has changed what is set. */
export interface ConversationChanged {
  readonly settings: ConversationSettings | undefined;
}

/** Marks everything in the conversation as read. */
export interface ClearUnread {
  readonly conversation: ConversationRef | undefined;
}

export interface ClearUnreadReply {
  readonly conversation: ConversationRef | undefined;
  readonly readSeq: number;
}

/** What the user's other devices are told. */
export interface UnreadChanged {
  readonly conversation: ConversationRef | undefined;
  readonly readSeq: number;
}

/** A refusal. The codes are those of the package chat. */
export interface Error {
  readonly code: number;
  /** One English sentence for the developer: what was wrong, what is allowed. */
  readonly message: string;
  /**
   * True when the same request, with the same client message id, may be sent
   * again later.
   */
  readonly retryable: boolean;
  readonly retryAfterMs: number;
}

/** Who is there. A refusal is followed by a close. */
export interface Hello {
  /** 1 today. */
  readonly protocolVersion: number;
  readonly appID: number;
  readonly userID: string;
  /** token04 or a JWT. */
  readonly token: string;
  /** Empty keeps the stored name. */
  readonly userName: string;
  readonly avatarUrl: string;
  /** Chosen once per login by the client: 1 to 64 letters, digits, '-' or '_'. */
  readonly deviceID: string;
  /** "web", "node", "go" ... */
  readonly platform: string;
  /**
   * True when the client comes back for a login that was already welcomed: it
   * does not kick anybody, and is itself refused as kicked when another device
   * has logged in meanwhile.
   */
  readonly resume: boolean;
  /** Features that the client understands; unknown ones are ignored. */
  readonly capabilities: readonly string[];
  /**
   * Counts the connections of this device, over its logins if its ID is kept. Of
   * two that are there at the same time the higher one stays, whichever the node
   * hears of last. 0: the one that it hears of last.
   */
  readonly link: number;
}

export interface HelloReply {
  readonly protocolVersion: number;
  readonly serverTime: number;
  /** When the token ends. */
  readonly tokenExpiresAt: number;
  readonly heartbeatIntervalMs: number;
  /** A connection that was silent for that long is closed. */
  readonly heartbeatTimeoutMs: number;
  readonly limits: Limits | undefined;
  readonly userName: string;
  readonly avatarUrl: string;
  readonly node: string;
  readonly capabilities: readonly string[];
  /**
   * Origins of nodes where this client may go as well, if the nodes were told
   * theirs.
   */
  readonly servers: readonly string[];
}

/** Limits of the app, in bytes where nothing else is said. */
export interface Limits {
  readonly textBytes: number;
  readonly customBytes: number;
  readonly commandBytes: number;
  readonly extendedDataBytes: number;
  readonly frameBytes: number;
  /** How long a client message id is remembered at least. */
  readonly dedupeWindowMs: number;
  /** Requests of one connection that may await their reply. */
  readonly inFlight: number;
  readonly searchedContentBytes: number;
  /** Users that one message may mention. */
  readonly mentions: number;
}

export interface Ping {
}

export interface PingReply {
  readonly serverTime: number;
}

export interface RenewToken {
  readonly token: string;
}

export interface RenewTokenReply {
  readonly tokenExpiresAt: number;
}

/** Logs out: the device is detached and the connection closed. */
export interface Goodbye {
}

export interface GoodbyeReply {
}

/**
 * Pushes were dropped because the client did not read fast enough: it should
 * ask for what changed since.
 */
export interface Behind {
}

/** The login is over; the connection is closed after it. */
export interface Kicked {
  readonly reason: Reason | undefined;
}

export interface TokenExpiring {
  readonly seconds: number;
}

/**
 * The node is going away: connect again, to another node when the client knows
 * one, after the given time. Until then the connection stays in use.
 */
export interface Reconnect {
  readonly afterMs: number;
}

/** A user as others see them. */
export interface UserInfo {
  readonly userID: string;
  readonly name: string;
  readonly avatarUrl: string;
  /** The app's own, opaque to nodes. */
  readonly extendedData: string;
}

/** Changes the profile of the user who asks; what is absent stays. */
export interface UpdateUser {
  readonly name: string | undefined;
  readonly avatarUrl: string | undefined;
  readonly extendedData: string | undefined;
}

export interface UpdateUserReply {
  readonly user: UserInfo | undefined;
}

/** Asks for the profiles of users. */
export interface QueryUsers {
  readonly userIDs: readonly string[];
}

export interface QueryUsersReply {
  /** In the order asked. */
  readonly users: readonly UserInfo[];
  /** Those who have never logged in. */
  readonly unknown: readonly string[];
}

/** The profile was changed by another device of the user's. */
export interface UserChanged {
  readonly user: UserInfo | undefined;
}

/**
 * What a client says. The first frame is always hello.
 * 
 * The numbers up to 9 are the frame's own. Methods stand in blocks: session
 * 10-29, message 30-69, conversation 70-99, user 100-129, group 140-199, room
 * 200-249, call 250-279, media 280-299, search 300-309, friend 310-339, admin
 * 400-499.
 */
export interface ClientFrame {
  /** Chosen by the client, above 0, echoed in ServerFrame.reply_to. */
  readonly id: number;
  /**
   * Of a write: 16 bytes, the same on every retry. No node remembers it yet: the
   * writes that there are may be done twice without harm. A message has its
   * client_message_id instead.
   */
  readonly requestID: string;
  readonly body:
    | { readonly kind: 'hello'; readonly value: Hello }
    | { readonly kind: 'ping'; readonly value: Ping }
    | { readonly kind: 'renewToken'; readonly value: RenewToken }
    | { readonly kind: 'goodbye'; readonly value: Goodbye }
    | { readonly kind: 'sendMessage'; readonly value: SendMessage }
    | { readonly kind: 'queryMessages'; readonly value: QueryMessages }
    | { readonly kind: 'recallMessage'; readonly value: RecallMessage }
    | { readonly kind: 'queryChanges'; readonly value: QueryChanges }
    | { readonly kind: 'listConversations'; readonly value: ListConversations }
    | { readonly kind: 'clearUnread'; readonly value: ClearUnread }
    | { readonly kind: 'updateConversation'; readonly value: UpdateConversation }
    | { readonly kind: 'updateUser'; readonly value: UpdateUser }
    | { readonly kind: 'queryUsers'; readonly value: QueryUsers }
    | undefined;
}

/**
 * What a node says: the reply to a method, which has that method's number and
 * name (reply_to is the request's id), an error in its place, or a push
 * (reply_to is 0), whose number is 500 or more.
 */
export interface ServerFrame {
  readonly replyTo: number;
  readonly body:
    | { readonly kind: 'error'; readonly value: Error }
    | { readonly kind: 'hello'; readonly value: HelloReply }
    | { readonly kind: 'ping'; readonly value: PingReply }
    | { readonly kind: 'renewToken'; readonly value: RenewTokenReply }
    | { readonly kind: 'goodbye'; readonly value: GoodbyeReply }
    | { readonly kind: 'sendMessage'; readonly value: SendMessageReply }
    | { readonly kind: 'queryMessages'; readonly value: QueryMessagesReply }
    | { readonly kind: 'recallMessage'; readonly value: RecallMessageReply }
    | { readonly kind: 'queryChanges'; readonly value: QueryChangesReply }
    | { readonly kind: 'listConversations'; readonly value: ListConversationsReply }
    | { readonly kind: 'clearUnread'; readonly value: ClearUnreadReply }
    | { readonly kind: 'updateConversation'; readonly value: UpdateConversationReply }
    | { readonly kind: 'updateUser'; readonly value: UpdateUserReply }
    | { readonly kind: 'queryUsers'; readonly value: QueryUsersReply }
    | { readonly kind: 'message'; readonly value: Message }
    | { readonly kind: 'behind'; readonly value: Behind }
    | { readonly kind: 'kicked'; readonly value: Kicked }
    | { readonly kind: 'tokenExpiring'; readonly value: TokenExpiring }
    | { readonly kind: 'unreadChanged'; readonly value: UnreadChanged }
    | { readonly kind: 'reconnect'; readonly value: Reconnect }
    | { readonly kind: 'userChanged'; readonly value: UserChanged }
    | { readonly kind: 'messageChanged'; readonly value: Message }
    | { readonly kind: 'conversationChanged'; readonly value: ConversationChanged }
    | undefined;
}

/** The messages by name. */
export interface Messages {
  ConversationRef: ConversationRef;
  SendMessage: SendMessage;
  Content: Content;
  SendMessageReply: SendMessageReply;
  Message: Message;
  RecallMessage: RecallMessage;
  RecallMessageReply: RecallMessageReply;
  QueryMessages: QueryMessages;
  QueryMessagesReply: QueryMessagesReply;
  QueryChanges: QueryChanges;
  QueryChangesReply: QueryChangesReply;
  ListConversations: ListConversations;
  ListConversationsReply: ListConversationsReply;
  Conversation: Conversation;
  UpdateConversation: UpdateConversation;
  UpdateConversationReply: UpdateConversationReply;
  ConversationSettings: ConversationSettings;
  ConversationChanged: ConversationChanged;
  ClearUnread: ClearUnread;
  ClearUnreadReply: ClearUnreadReply;
  UnreadChanged: UnreadChanged;
  Error: Error;
  Hello: Hello;
  HelloReply: HelloReply;
  Limits: Limits;
  Ping: Ping;
  PingReply: PingReply;
  RenewToken: RenewToken;
  RenewTokenReply: RenewTokenReply;
  Goodbye: Goodbye;
  GoodbyeReply: GoodbyeReply;
  Behind: Behind;
  Kicked: Kicked;
  TokenExpiring: TokenExpiring;
  Reconnect: Reconnect;
  UserInfo: UserInfo;
  UpdateUser: UpdateUser;
  UpdateUserReply: UpdateUserReply;
  QueryUsers: QueryUsers;
  QueryUsersReply: QueryUsersReply;
  UserChanged: UserChanged;
  ClientFrame: ClientFrame;
  ServerFrame: ServerFrame;
}

/** The methods: whether they are asked again, their name in zego-zim-web, the version of the contract that they came with. */
export const methods = {
  hello: { kind: 'once', zim: 'login', since: 1 },
  ping: { kind: 'once', zim: '', since: 1 },
  renewToken: { kind: 'write', zim: 'renewToken', since: 1 },
  goodbye: { kind: 'once', zim: 'logout', since: 1 },
  sendMessage: { kind: 'write', zim: 'sendMessage', since: 1 },
  queryMessages: { kind: 'read', zim: 'queryHistoryMessage', since: 1 },
  recallMessage: { kind: 'write', zim: 'revokeMessage', since: 1 },
  queryChanges: { kind: 'read', zim: '', since: 1 },
  listConversations: { kind: 'read', zim: 'queryConversationList', since: 1 },
  clearUnread: { kind: 'write', zim: 'clearConversationUnreadMessageCount', since: 1 },
  updateConversation: { kind: 'write', zim: 'updateConversationPinnedState, setConversationNotificationStatus, setConversationDraft', since: 1 },
  updateUser: { kind: 'write', zim: 'updateUserName, updateUserAvatarUrl, updateUserExtendedData', since: 1 },
  queryUsers: { kind: 'read', zim: 'queryUsersInfo, querySelfUserInfo', since: 1 },
} as const;

/** The replies by method. */
export interface Replies {
  hello: HelloReply;
  ping: PingReply;
  renewToken: RenewTokenReply;
  goodbye: GoodbyeReply;
  sendMessage: SendMessageReply;
  queryMessages: QueryMessagesReply;
  recallMessage: RecallMessageReply;
  queryChanges: QueryChangesReply;
  listConversations: ListConversationsReply;
  clearUnread: ClearUnreadReply;
  updateConversation: UpdateConversationReply;
  updateUser: UpdateUserReply;
  queryUsers: QueryUsersReply;
}

/** What a server says unasked. */
export interface Pushes {
  message: Message;
  behind: Behind;
  kicked: Kicked;
  tokenExpiring: TokenExpiring;
  unreadChanged: UnreadChanged;
  reconnect: Reconnect;
  userChanged: UserChanged;
  messageChanged: Message;
  conversationChanged: ConversationChanged;
}

/** The messages, for the Codec of table.ts. */
export const table: string = 'ConversationRef kind:e0,1 id:s,2;SendMessage conversation:m0,1 clientMessageID:h,2 issuedAt:n,3 type:u,4 content:m2,5;Content subType:u,1 priority:u,2 body:b,3 extendedData:s,4 searchedContent:s,5 mentionedUserIDs*:s,6 mentionAll:f,7;SendMessageReply messageID:s,1 seq:n,2 orderKey:n,3 timestamp:n,4 duplicate:f,5;Message kind:e0,1 senderID:s,2 targetID:s,3 messageID:s,4 seq:n,5 orderKey:n,6 timestamp:n,7 type:u,8 clientMessageID:h,9 counted:n,10 content:m2,11 entry:e1,12 rev:n,13;RecallMessage conversation:m0,1 seq:n,2;RecallMessageReply rev:n,1;QueryMessages conversation:m0,1 afterSeq:n,2 beforeSeq:n,3 count:u,4 newestFirst:f,5 maxBytes:u,6;QueryMessagesReply messages*:m4,1 firstSeq:n,2 lastSeq:n,3 headSeq:n,4 headRev:n,5;QueryChanges conversation:m0,1 afterRev:n,2 count:u,3;QueryChangesReply messages*:m4,1 lastRev:n,2 headRev:n,3;ListConversations count:u,1 beforeOrderKey:n,2 before:m0,3 changedSince:n,4 only*:m0,5 pinnedOnly:f,6;ListConversationsReply conversations*:m13,1 totalUnread?:n,2 complete:f,3;Conversation ref:m0,1 name:s,2 avatarUrl:s,3 headSeq:n,4 unread:n,5 readSeq:n,6 orderKey:n,7 lastMessage:m4,8 pinned:f,9 muted:f,10 draft:s,11;UpdateConversation conversation:m0,1 pinned?:f,2 muted?:f,3 draft?:s,4;UpdateConversationReply settings:m16,1;ConversationSettings conversation:m0,1 pinned:f,2 muted:f,3 draft:s,4;ConversationChanged settings:m16,1;ClearUnread conversation:m0,1;ClearUnreadReply conversation:m0,1 readSeq:n,2;UnreadChanged conversation:m0,1 readSeq:n,2;Error code:u,1 message:s,2 retryable:f,3 retryAfterMs:u,4;Hello protocolVersion:u,1 appID:u,2 userID:s,3 token:s,4 userName:s,5 avatarUrl:s,6 deviceID:s,7 platform:s,8 resume:f,9 capabilities*:s,10 link:u,11;HelloReply protocolVersion:u,1 serverTime:n,2 tokenExpiresAt:n,3 heartbeatIntervalMs:u,4 heartbeatTimeoutMs:u,5 limits:m24,6 userName:s,7 avatarUrl:s,8 node:s,9 capabilities*:s,10 servers*:s,11;Limits textBytes:u,1 customBytes:u,2 commandBytes:u,3 extendedDataBytes:u,4 frameBytes:u,5 dedupeWindowMs:n,6 inFlight:u,7 searchedContentBytes:u,8 mentions:u,9;Ping;PingReply serverTime:n,1;RenewToken token:s,1;RenewTokenReply tokenExpiresAt:n,1;Goodbye;GoodbyeReply;Behind;Kicked reason:e2,1;TokenExpiring seconds:u,1;Reconnect afterMs:u,1;UserInfo userID:s,1 name:s,2 avatarUrl:s,3 extendedData:s,4;UpdateUser name?:s,1 avatarUrl?:s,2 extendedData?:s,3;UpdateUserReply user:m35,1;QueryUsers userIDs*:s,1;QueryUsersReply users*:m35,1 unknown*:s,2;UserChanged user:m35,1;ClientFrame id:u,1 requestID:h,2 hello|:m22,10 ping|:m25,11 renewToken|:m27,12 goodbye|:m29,13 sendMessage|:m1,30 queryMessages|:m7,31 recallMessage|:m5,32 queryChanges|:m9,33 listConversations|:m11,70 clearUnread|:m18,71 updateConversation|:m14,72 updateUser|:m36,100 queryUsers|:m38,101;ServerFrame replyTo:u,1 error|:m21,2 hello|:m23,10 ping|:m26,11 renewToken|:m28,12 goodbye|:m30,13 sendMessage|:m3,30 queryMessages|:m8,31 recallMessage|:m6,32 queryChanges|:m10,33 listConversations|:m12,70 clearUnread|:m19,71 updateConversation|:m15,72 updateUser|:m37,100 queryUsers|:m39,101 message|:m4,500 behind|:m31,501 kicked|:m32,502 tokenExpiring|:m33,503 unreadChanged|:m20,504 reconnect|:m34,505 userChanged|:m40,506 messageChanged|:m4,507 conversationChanged|:m17,508';
/** The texts of the enums, in the order of their numbers. */
export const enums: string = ' peer room group; message tip membership erased; otherDevice tokenExpired';
