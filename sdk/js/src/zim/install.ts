import type { ChatClient } from '../client.js';
import { ChatError, Code } from '../errors.js';
import type { Capability } from './row.js';

// Every method of zego-zim-web 2.29.0 that a table may have. One that no table
// has exists nevertheless: an app gets a refusal with a code, not a TypeError.
const NAMES = `
  acceptFriendApplication acceptGroupInviteApplication acceptGroupJoinApplication addFriend addMessageReaction
  addUsersToBlacklist callAccept callCancel callEnd callExperimentalAPI callInvite callJoin callQuit callReject
  callingInvite cancelSendingMessage checkFriendsRelation checkUserIsInBlacklist
  clearConversationTotalUnreadMessageCount clearConversationUnreadMessageCount createGroup createRoom
  deleteAllConversationMessages deleteAllConversations deleteAllMessage deleteConversation deleteFriends
  deleteGroupAttributes deleteMessageAllReactions deleteMessageReaction deleteMessages deleteRoomAttributes
  dismissGroup editMessage endRoomAttributesBatchOperation enterRoom insertMessageToLocalDB inviteUsersIntoGroup
  joinGroup joinRoom kickGroupMembers leaveAllRoom leaveGroup leaveRoom muteGroup muteGroupMembers pinMessage
  queryBlacklist queryCallInvitationList queryCombineMessageDetail queryConversation queryConversationList
  queryConversationPinnedList queryConversationTotalUnreadMessageCount queryFriendApplicationList queryFriendList
  queryFriendsInfo queryGroupAllAttributes queryGroupApplicationList queryGroupAttributes queryGroupInfo
  queryGroupList queryGroupMemberCount queryGroupMemberInfo queryGroupMemberList queryGroupMemberMutedList
  queryGroupMessageReceiptReadMemberList queryGroupMessageReceiptUnreadMemberList queryHistoryMessage
  queryMessageReactionUserList queryMessageReceiptsInfo queryMessageRepliedList queryMessages queryPinnedMessageList
  queryRoomAllAttributes queryRoomMemberAttributesList queryRoomMemberList queryRoomMembers queryRoomMembersAttributes
  queryRoomOnlineMemberCount querySelfUserInfo querySubscribedUserStatusList queryUsersInfo queryUsersStatus
  rejectFriendApplication rejectGroupInviteApplication rejectGroupJoinApplication removeUsersFromBlacklist renewToken
  replyMessage revokeMessage searchGlobalLocalMessages searchLocalConversations searchLocalFriends
  searchLocalGroupMembers searchLocalGroups searchLocalMessages sendConversationMessageReceiptRead
  sendFriendApplication sendGroupInviteApplications sendGroupJoinApplication sendMessage sendMessageReceiptsRead
  setConversationDraft setConversationMark setConversationNotificationStatus setGroupAttributes setGroupMemberNickname
  setGroupMemberRole setRoomAttributes setRoomMembersAttributes subscribeUsersStatus switchRoom
  transferGroupOwner unsubscribeUsersStatus updateConversationPinnedState updateFriendAlias updateFriendAttributes
  updateGroupAlias updateGroupAvatarUrl updateGroupBeInviteMode updateGroupInviteMode updateGroupJoinMode
  updateGroupName updateGroupNotice updateMessageLocalExtendedData updateUserAvatarUrl updateUserBadge
  updateUserCustomStatus updateUserExtendedData updateUserName updateUserOfflinePushRule uploadLog
`;

// The only one that gives no promise: its refusal is thrown.
const SYNCHRONOUS = 'beginRoomAttributesBatchOperation';

/**
 * Gives a class the methods of the tables. `needLogin` gives the client of an
 * instance that is logged in, and throws for another: before the arguments are
 * looked at.
 */
export function install<Z extends object>(
  prototype: Z,
  capabilities: readonly Capability[],
  needLogin: (zim: Z, name: string) => ChatClient,
): void {
  const refuse = (zim: Z, name: string): never => {
    needLogin(zim, name);
    throw new ChatError(Code.Unsupported, `${name} is not supported yet.`);
  };
  for (const name of NAMES.trim().split(/\s+/)) {
    define(prototype, name, async function (this: Z): Promise<never> {
      return refuse(this, name);
    });
  }
  define(prototype, SYNCHRONOUS, function (this: Z): never {
    return refuse(this, SYNCHRONOUS);
  });
  for (const { methods = {}, accepted = {} } of capabilities) {
    for (const [name, method] of Object.entries(methods)) {
      const run = method as (client: ChatClient, ...args: unknown[]) => unknown;
      define(prototype, name, async function (this: Z, ...args: unknown[]): Promise<unknown> {
        return run(needLogin(this, name), ...args);
      });
    }
    for (const [name, method] of Object.entries(accepted)) define(prototype, name, method);
  }
}

function define(on: object, name: string, value: unknown): void {
  Object.defineProperty(on, name, { value, writable: true, configurable: true });
}
