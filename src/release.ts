/**
 * The release that this code was built as, `pkgver-pkgrel`. `npm run build` writes it over with the version of
 * package.json and the PKGREL that makepkg passes; a pkgrel of 0 says that no package was built.
 */
export const release: string = '0.0.0-0'
