/** nginx: WebDAV with PROPFIND on one port, without on another, plain files of both under /files/. */
export function nginxConfiguration(folder, port, bare, isRoot) {
  const dav = (name, methods) => `
    root ${folder}/${name};
    client_max_body_size 0;
    client_body_temp_path ${folder}/tmp;
    dav_methods PUT DELETE MKCOL COPY MOVE;
    ${methods}
    location /files/ { alias ${folder}/${name}/; limit_except GET { deny all; } dav_methods off; }`;
  return `
daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
worker_processes 1;
${isRoot ? 'user root;' : ''}
load_module /usr/lib/nginx/modules/ngx_http_dav_ext_module.so;
events { worker_connections 128; }
http {
  access_log off;
  ${['proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/tmp/${kind};`).join(' ')}
  server { listen 127.0.0.1:${port}; ${dav('dav', 'dav_ext_methods PROPFIND OPTIONS;')} }
  server { listen 127.0.0.1:${bare}; ${dav('bare', '')} }
}
`;
}

/** OpenStack Swift with one device and its S3 API. */
export function swiftConfigurations(folder, ports, account) {
  const common = (port) => `
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${account}
swift_dir = ${folder}
devices = ${folder}/devices
mount_check = false
fallocate_reserve = 0
`;
  const storage = (kind) => `${common(ports[kind])}
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`;
  return {
    account: storage('account'),
    container: storage('container'),
    object: storage('object'),
    proxy: `${common(ports.proxy)}
[pipeline:main]
pipeline = catch_errors healthcheck cache listing_formats s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${ports.memcache}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
`,
  };
}
