import type {
  ZIMBlacklistCheckedResult,
  ZIMBlacklistQueriedResult,
  ZIMBlacklistQueryConfig,
  ZIMBlacklistUsersAddedResult,
  ZIMBlacklistUsersRemovedResult,
  ZIMEventOfBlacklistChangedResult,
  ZIMEventOfFriendApplicationListChangedResult,
  ZIMEventOfFriendApplicationUpdatedResult,
  ZIMEventOfFriendInfoUpdatedResult,
  ZIMEventOfFriendListChangedResult,
  ZIMFriendAddConfig,
  ZIMFriendAddedResult,
  ZIMFriendAliasUpdatedResult,
  ZIMFriendApplicationAcceptConfig,
  ZIMFriendApplicationAcceptedResult,
  ZIMFriendApplicationListQueriedResult,
  ZIMFriendApplicationListQueryConfig,
  ZIMFriendApplicationRejectConfig,
  ZIMFriendApplicationRejectedResult,
  ZIMFriendApplicationSendConfig,
  ZIMFriendApplicationSentResult,
  ZIMFriendAttributesUpdatedResult,
  ZIMFriendDeleteConfig,
  ZIMFriendListQueriedResult,
  ZIMFriendListQueryConfig,
  ZIMFriendRelationCheckConfig,
  ZIMFriendSearchConfig,
  ZIMFriendsDeletedResult,
  ZIMFriendsInfoQueriedResult,
  ZIMFriendsRelationCheckedResult,
  ZIMFriendsSearchedResult,
} from '../types/index.js';

/** The methods of the capability friend. */
export interface FriendMethods {
  /** Makes a user a friend without asking. */
  addFriend(userID: string, config: ZIMFriendAddConfig): Promise<ZIMFriendAddedResult>;
  /** Ends friendships. */
  deleteFriends(userIDs: string[], config: ZIMFriendDeleteConfig): Promise<ZIMFriendsDeletedResult>;
  /** Which users are friends. */
  checkFriendsRelation(userIDs: string[], config: ZIMFriendRelationCheckConfig): Promise<ZIMFriendsRelationCheckedResult>;
  /** Changes the name that the own user gives a friend. */
  updateFriendAlias(friendAlias: string, userID: string): Promise<ZIMFriendAliasUpdatedResult>;
  /** Changes what the own user keeps about a friend. */
  updateFriendAttributes(friendAttributes: Record<string, string>, userID: string): Promise<ZIMFriendAttributesUpdatedResult>;
  /** Some friends, by their IDs. */
  queryFriendsInfo(userIDs: string[]): Promise<ZIMFriendsInfoQueriedResult>;
  /** A page of the friends. */
  queryFriendList(config: ZIMFriendListQueryConfig): Promise<ZIMFriendListQueriedResult>;
  /** Friends that match. */
  searchLocalFriends(config: ZIMFriendSearchConfig): Promise<ZIMFriendsSearchedResult>;
  /** Asks a user to be friends. */
  sendFriendApplication(userID: string, config: ZIMFriendApplicationSendConfig): Promise<ZIMFriendApplicationSentResult>;
  /** Accepts a user who asked to be friends. */
  acceptFriendApplication(userID: string, config: ZIMFriendApplicationAcceptConfig): Promise<ZIMFriendApplicationAcceptedResult>;
  /** Refuses a user who asked to be friends. */
  rejectFriendApplication(userID: string, config: ZIMFriendApplicationRejectConfig): Promise<ZIMFriendApplicationRejectedResult>;
  /** A page of who asked whom to be friends. */
  queryFriendApplicationList(config: ZIMFriendApplicationListQueryConfig): Promise<ZIMFriendApplicationListQueriedResult>;
  /** Blocks users. */
  addUsersToBlacklist(userIDs: string[]): Promise<ZIMBlacklistUsersAddedResult>;
  /** Unblocks users. */
  removeUsersFromBlacklist(userIDs: string[]): Promise<ZIMBlacklistUsersRemovedResult>;
  /** A page of the blocked users. */
  queryBlacklist(config: ZIMBlacklistQueryConfig): Promise<ZIMBlacklistQueriedResult>;
  /** Whether a user is blocked. */
  checkUserIsInBlacklist(userID: string): Promise<ZIMBlacklistCheckedResult>;
}

/** Its events; each listener is given the instance first. */
export interface FriendEvents<Z> {
  friendListChanged: (zim: Z, data: ZIMEventOfFriendListChangedResult) => void;
  friendInfoUpdated: (zim: Z, data: ZIMEventOfFriendInfoUpdatedResult) => void;
  friendApplicationListChanged: (zim: Z, data: ZIMEventOfFriendApplicationListChangedResult) => void;
  friendApplicationUpdated: (zim: Z, data: ZIMEventOfFriendApplicationUpdatedResult) => void;
  blacklistChanged: (zim: Z, data: ZIMEventOfBlacklistChangedResult) => void;
}
