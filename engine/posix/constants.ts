/** Numbers of the Linux ABI. Four of the open flags differ between x86-64 and ARM64 (`asm/fcntl.h`). */

const arm = Deno.build.arch === "aarch64";

export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_RDWR = 2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
/** Only a place in the tree: needs no permission to read, reads nothing. */
export const O_PATH = 0o10000000;
export const O_CLOEXEC = 0o2000000;
/** Leave the access time as it is; only for the file's owner. */
export const O_NOATIME = 0o1000000;
export const O_DIRECTORY = arm ? 0o40000 : 0o200000;
export const O_NOFOLLOW = arm ? 0o100000 : 0o400000;
/** Transfer between the device and this process's memory without the page cache; wants aligned addresses and lengths. */
export const O_DIRECT = arm ? 0o200000 : 0o40000;

export const AT_FDCWD = -100;
export const AT_SYMLINK_NOFOLLOW = 0x100;
export const AT_REMOVEDIR = 0x200;
/** Check with the effective user's rights. The value is `AT_REMOVEDIR`'s, in another call. */
export const AT_EACCESS = 0x200;
export const AT_NO_AUTOMOUNT = 0x800;
export const AT_EMPTY_PATH = 0x1000;

/** The fields of `statx` that `struct stat` has. */
export const STATX_BASIC_STATS = 0x7ff;

export const RENAME_NOREPLACE = 1;

export const SEEK_DATA = 3;
export const SEEK_HOLE = 4;

/** `ioctl` request: share the source's blocks with an empty file on the same file system (`linux/fs.h`). */
export const FICLONE = 0x40049409;

export const S_IFMT = 0o170000;
export const S_IFDIR = 0o040000;
export const S_IFREG = 0o100000;
export const S_IFLNK = 0o120000;
