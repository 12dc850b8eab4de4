-- The roles of the services in the database `baton`, and the schema of metrics-service. Run in that database by its
-- superuser: by the Postgres image when its volume is new (docker-compose.yml), by `npm start` for the embedded one.
-- The passwords are settings of the session, baton.owner_password and baton.metrics_password.

do $$
begin
  execute format('create role baton login password %L', current_setting('baton.owner_password'));
  execute format('create role baton_metrics login password %L', current_setting('baton.metrics_password'));
end
$$;

alter database baton owner to baton;

-- metrics-service sees its own schema alone. "create schema if not exists" asks for the right to create one even if
-- it exists.
grant create on database baton to baton_metrics;
create schema metrics authorization baton_metrics;
alter role baton_metrics set search_path = metrics;
