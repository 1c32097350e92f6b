import type { ZIMBlacklistChangeAction } from '../enums/index.js';
import type { ZIMUserInfo } from './common.js';
import type { ZIMErrorUserInfo } from './user.js';

/** Options of queryBlacklist. */
export interface ZIMBlacklistQueryConfig {
  nextFlag?: number;
  count: number;
}

/** The outcome of checkUserIsInBlacklist. */
export interface ZIMBlacklistCheckedResult {
  isUserInBlacklist: boolean;
}

/** The outcome of queryBlacklist. */
export interface ZIMBlacklistQueriedResult {
  blacklist: ZIMUserInfo[];
  nextFlag: number;
}

/** The outcome of addUsersToBlacklist. */
export interface ZIMBlacklistUsersAddedResult {
  errorUserList: ZIMErrorUserInfo[];
}

/** The outcome of removeUsersFromBlacklist. */
export interface ZIMBlacklistUsersRemovedResult {
  errorUserList: ZIMErrorUserInfo[];
}

/** What blacklistChanged tells. */
export interface ZIMEventOfBlacklistChangedResult {
  userList: ZIMUserInfo[];
  action: ZIMBlacklistChangeAction;
}
