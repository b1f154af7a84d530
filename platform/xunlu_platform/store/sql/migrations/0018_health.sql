-- The API tells whether jobs still watch.
grant select on server_watch to xunlu_api;
