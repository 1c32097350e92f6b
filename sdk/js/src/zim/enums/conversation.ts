// Conversations and their list. Names and values are those of
// zego-zim-web 2.29.0; each enum is an object both ways at run time.

/** The kinds of conversation. */
export enum ZIMConversationType {
  Unknown = -1,
  Peer = 0,
  Room = 1,
  Group = 2,
  CommunityChannel = 3,
}

/** What happened to an entry of the conversation list. */
export enum ZIMConversationEvent {
  Added = 0,
  Updated = 1,
  Disabled = 2,
  Deleted = 3,
}

/** Whether a conversation may disturb the user. */
export enum ZIMConversationNotificationStatus {
  Notify = 1,
  DoNotDisturb = 2,
}

/** Progress of loading the list after a login. */
export enum ZIMConversationSyncState {
  Started = 0,
  Finished = 1,
  Failed = 2,
}

/** Which entries a filtered list query keeps, by pin. */
export enum ZIMConversationPinnedFilter {
  All = 0,
  OnlyPinned = 1,
  OnlyUnpinned = 2,
}

/** What a conversation search compares its words with. */
export enum ZIMConversationSearchMode {
  MatchMessage = 0,
  MatchConversationName = 1,
}
