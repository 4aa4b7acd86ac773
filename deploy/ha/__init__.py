"""PostgreSQL that outlives its primary: three nodes with Patroni, etcd and haproxy, and a drill that shows it."""
