-- Read by MariaDB at each start, before it lets anybody in; one statement a line.
DELETE FROM mysql.global_priv WHERE User = 'root' AND Host NOT IN ('localhost', '127.0.0.1');
FLUSH PRIVILEGES;
ALTER USER 'root'@'localhost' IDENTIFIED BY '{password}';
ALTER USER 'root'@'127.0.0.1' IDENTIFIED BY '{password}';
CREATE DATABASE IF NOT EXISTS {database} CHARACTER SET utf8mb4;
