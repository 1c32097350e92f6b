// The script form: ZIM and every enum become globals, as the script of
// zego-zim-web makes them.
import { ParleyErrorCode } from '../errors.js';
import * as enums from './enums/index.js';
import { ZIMErrorCode } from './error-code.js';
import { ZIM } from './zim.js';

Object.assign(globalThis, enums, { ZIM, ZIMErrorCode, ParleyErrorCode });
