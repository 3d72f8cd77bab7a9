/** nginx's main file; both Arch and Debian compile this path in. */
export const nginxConf = '/etc/nginx/nginx.conf'

/** The site that the package brings. */
export const siteFile = '/etc/nginx/fastAPI/fastAPI.conf'

/** What switches it on, inside http {}: a glob, which may match nothing, so nginx starts without the package, too. */
export const includeDirective = 'include /etc/nginx/fastAPI/*.conf;'
