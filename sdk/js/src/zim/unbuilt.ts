import { ChatError, Code } from '../errors.js';

// The methods of zego-zim-web 2.29.0 that are not built. They exist, so that an
// app gets a refusal with a code where it would get a TypeError.
const UNBUILT = `
  updateUserName updateUserAvatarUrl updateUserExtendedData queryUsersInfo queryConversation
  deleteConversation deleteMessages revokeMessage cancelSendingMessage createRoom joinRoom enterRoom leaveRoom
  queryRoomMemberList queryRoomOnlineMemberCount createGroup joinGroup leaveGroup inviteUsersIntoGroup
  queryGroupInfo queryGroupList queryGroupMemberList updateUserCustomStatus queryUsersStatus querySelfUserInfo
  subscribeUsersStatus unsubscribeUsersStatus querySubscribedUserStatusList queryConversationPinnedList
  updateConversationPinnedState deleteAllConversations clearConversationTotalUnreadMessageCount
  queryConversationTotalUnreadMessageCount setConversationNotificationStatus
  sendConversationMessageReceiptRead setConversationDraft searchLocalConversations queryMessages
  deleteAllMessage deleteAllConversationMessages sendMessageReceiptsRead queryMessageReceiptsInfo editMessage
  searchLocalMessages searchGlobalLocalMessages addMessageReaction deleteMessageReaction
  deleteMessageAllReactions queryMessageReactionUserList queryCombineMessageDetail replyMessage
  queryMessageRepliedList pinMessage queryPinnedMessageList switchRoom leaveAllRoom queryRoomMembers
  setRoomAttributes deleteRoomAttributes endRoomAttributesBatchOperation queryRoomAllAttributes dismissGroup
  kickGroupMembers transferGroupOwner queryGroupMemberInfo queryGroupMemberCount updateGroupName
  updateGroupAvatarUrl updateGroupNotice setGroupMemberRole setGroupMemberNickname muteGroup muteGroupMembers
  queryGroupMemberMutedList queryGroupMessageReceiptReadMemberList queryGroupMessageReceiptUnreadMemberList
  callInvite callCancel callAccept callReject callingInvite callJoin callQuit callEnd queryCallInvitationList
  addUsersToBlacklist removeUsersFromBlacklist queryBlacklist checkUserIsInBlacklist setConversationMark
  insertMessageToLocalDB updateMessageLocalExtendedData setRoomMembersAttributes queryRoomMembersAttributes
  queryRoomMemberAttributesList updateGroupAlias updateGroupJoinMode updateGroupInviteMode
  updateGroupBeInviteMode setGroupAttributes deleteGroupAttributes queryGroupAttributes
  queryGroupAllAttributes searchLocalGroups searchLocalGroupMembers sendGroupJoinApplication
  acceptGroupJoinApplication rejectGroupJoinApplication sendGroupInviteApplications
  acceptGroupInviteApplication rejectGroupInviteApplication queryGroupApplicationList addFriend deleteFriends
  checkFriendsRelation updateFriendAlias updateFriendAttributes queryFriendsInfo queryFriendList
  searchLocalFriends sendFriendApplication acceptFriendApplication rejectFriendApplication
  queryFriendApplicationList
`;

// What concerns the vendor's own service: accepted, without effect.
const STATIC_NO_OPS: Record<string, () => unknown> = { setAdvancedConfig: () => undefined, setGeofencingConfig: () => true };
const NO_OPS: Record<string, (argument: unknown) => unknown> = {
  setLogConfig: () => undefined,
  uploadLog: async () => undefined,
  callExperimentalAPI: async () => '',
  updateUserOfflinePushRule: async (offlinePushRule) => ({ offlinePushRule }),
  updateUserBadge: async () => undefined,
};

/** Gives a class the methods that it does not have. `needLogin` throws for an instance that is not logged in. */
export function installUnbuilt<Z extends object>(ZIM: { prototype: Z }, needLogin: (zim: Z, name: string) => void): void {
  const refuse = (zim: Z, name: string): never => {
    needLogin(zim, name);
    throw new ChatError(Code.Unsupported, `${name} is not supported yet.`);
  };
  for (const name of UNBUILT.trim().split(/\s+/)) {
    define(ZIM.prototype, name, async function (this: Z): Promise<never> {
      return refuse(this, name);
    });
  }
  // The only one that gives no promise.
  define(ZIM.prototype, 'beginRoomAttributesBatchOperation', function (this: Z): never {
    return refuse(this, 'beginRoomAttributesBatchOperation');
  });
  for (const [name, run] of Object.entries(NO_OPS)) define(ZIM.prototype, name, run);
  for (const [name, run] of Object.entries(STATIC_NO_OPS)) define(ZIM, name, run);
}

function define(on: object, name: string, value: unknown): void {
  Object.defineProperty(on, name, { value, writable: true, configurable: true });
}
