# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ennead_global_optspecs
    string join \n config= data= resp= http= grpc= durability= maxmemory= password-file= tls-certificate= tls-key= tls-client-ca= insecure log-level= log-format= set= h/help V/version
end

function __fish_ennead_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ennead_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ennead_using_subcommand
    set -l cmd (__fish_ennead_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ennead -n "__fish_ennead_needs_command" -l config -d 'Read settings from this file (TOML); none is read otherwise' -r -F
complete -c ennead -n "__fish_ennead_needs_command" -l data -d 'Directory of the data, created when missing [default: ./data]' -r
complete -c ennead -n "__fish_ennead_needs_command" -l resp -d 'Address of the Redis protocol, or off [default: 127.0.0.1:6379]' -r
complete -c ennead -n "__fish_ennead_needs_command" -l http -d 'Address of HTTP, or off [default: 127.0.0.1:9200]' -r
complete -c ennead -n "__fish_ennead_needs_command" -l grpc -d 'Address of gRPC, or off [default: 127.0.0.1:2379]' -r
complete -c ennead -n "__fish_ennead_needs_command" -l durability -d 'When a write is acknowledged: always, everysec or none [default: everysec]' -r
complete -c ennead -n "__fish_ennead_needs_command" -l maxmemory -d 'Memory limit of keys and values, such as 2gb [default: none]' -r
complete -c ennead -n "__fish_ennead_needs_command" -l password-file -d 'File whose first line is the password' -r
complete -c ennead -n "__fish_ennead_needs_command" -l tls-certificate -d 'Certificate chain (PEM): all listeners speak TLS' -r
complete -c ennead -n "__fish_ennead_needs_command" -l tls-key -d 'Private key of the certificate (PEM)' -r
complete -c ennead -n "__fish_ennead_needs_command" -l tls-client-ca -d 'Authorities of clients\' certificates (PEM): every client must show one' -r
complete -c ennead -n "__fish_ennead_needs_command" -l log-level -d 'error, warn, info, debug or trace [default: info]' -r
complete -c ennead -n "__fish_ennead_needs_command" -l log-format -d 'text or json [default: text]' -r
complete -c ennead -n "__fish_ennead_needs_command" -l set -d 'Any setting of ennead.toml, as section.key=value; may be repeated' -r
complete -c ennead -n "__fish_ennead_needs_command" -l insecure -d 'Let other machines in without password and without TLS'
complete -c ennead -n "__fish_ennead_needs_command" -s h -l help -d 'Print help'
complete -c ennead -n "__fish_ennead_needs_command" -s V -l version -d 'Print version'
complete -c ennead -n "__fish_ennead_needs_command" -f -a "serve" -d 'Run the server (the default)'
complete -c ennead -n "__fish_ennead_needs_command" -f -a "check-config" -d 'Read flags, environment and file as `serve` would, and say what they come to'
complete -c ennead -n "__fish_ennead_needs_command" -f -a "backup" -d 'Write a consistent copy of a data directory that no server uses'
complete -c ennead -n "__fish_ennead_needs_command" -f -a "restore" -d 'Make a data directory from a copy, with archived log segments up to a point in time'
complete -c ennead -n "__fish_ennead_needs_command" -f -a "repair" -d 'Say what of a data directory cannot be read and what it would cost to go on without it'
complete -c ennead -n "__fish_ennead_needs_command" -f -a "compact" -d 'Give the space of deleted rows back to the file system'
complete -c ennead -n "__fish_ennead_needs_command" -f -a "export" -d 'Write a snapshot file that redis-server loads: of a data directory, or of a running server'
complete -c ennead -n "__fish_ennead_needs_command" -f -a "import" -d 'Copy a running Redis, a snapshot file of it, or a running etcd to a running Ennead'
complete -c ennead -n "__fish_ennead_needs_command" -f -a "version" -d 'Print the version and what the binary was built with'
complete -c ennead -n "__fish_ennead_needs_command" -f -a "generate" -d 'Write generated files: man page, completions, reference pages'
complete -c ennead -n "__fish_ennead_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l config -d 'Read settings from this file (TOML); none is read otherwise' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l data -d 'Directory of the data, created when missing [default: ./data]' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l resp -d 'Address of the Redis protocol, or off [default: 127.0.0.1:6379]' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l http -d 'Address of HTTP, or off [default: 127.0.0.1:9200]' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l grpc -d 'Address of gRPC, or off [default: 127.0.0.1:2379]' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l durability -d 'When a write is acknowledged: always, everysec or none [default: everysec]' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l maxmemory -d 'Memory limit of keys and values, such as 2gb [default: none]' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l password-file -d 'File whose first line is the password' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l tls-certificate -d 'Certificate chain (PEM): all listeners speak TLS' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l tls-key -d 'Private key of the certificate (PEM)' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l tls-client-ca -d 'Authorities of clients\' certificates (PEM): every client must show one' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l log-level -d 'error, warn, info, debug or trace [default: info]' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l log-format -d 'text or json [default: text]' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l set -d 'Any setting of ennead.toml, as section.key=value; may be repeated' -r
complete -c ennead -n "__fish_ennead_using_subcommand serve" -l insecure -d 'Let other machines in without password and without TLS'
complete -c ennead -n "__fish_ennead_using_subcommand serve" -s h -l help -d 'Print help'
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l config -d 'Read settings from this file (TOML); none is read otherwise' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l data -d 'Directory of the data, created when missing [default: ./data]' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l resp -d 'Address of the Redis protocol, or off [default: 127.0.0.1:6379]' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l http -d 'Address of HTTP, or off [default: 127.0.0.1:9200]' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l grpc -d 'Address of gRPC, or off [default: 127.0.0.1:2379]' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l durability -d 'When a write is acknowledged: always, everysec or none [default: everysec]' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l maxmemory -d 'Memory limit of keys and values, such as 2gb [default: none]' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l password-file -d 'File whose first line is the password' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l tls-certificate -d 'Certificate chain (PEM): all listeners speak TLS' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l tls-key -d 'Private key of the certificate (PEM)' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l tls-client-ca -d 'Authorities of clients\' certificates (PEM): every client must show one' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l log-level -d 'error, warn, info, debug or trace [default: info]' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l log-format -d 'text or json [default: text]' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l set -d 'Any setting of ennead.toml, as section.key=value; may be repeated' -r
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -l insecure -d 'Let other machines in without password and without TLS'
complete -c ennead -n "__fish_ennead_using_subcommand check-config" -s h -l help -d 'Print help'
complete -c ennead -n "__fish_ennead_using_subcommand backup" -l data -d 'Directory of the data' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand backup" -s h -l help -d 'Print help'
complete -c ennead -n "__fish_ennead_using_subcommand restore" -l data -d 'Directory of the data' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand restore" -l archive -d 'Directory with log segments to replay over the copy; may be repeated' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand restore" -l until-batch -d 'Stop after this batch' -r
complete -c ennead -n "__fish_ennead_using_subcommand restore" -l until-time -d 'Stop after the last batch written at this time, such as 2026-11-23T16:40:00Z' -r
complete -c ennead -n "__fish_ennead_using_subcommand restore" -s h -l help -d 'Print help'
complete -c ennead -n "__fish_ennead_using_subcommand repair" -l data -d 'Directory of the data' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand repair" -l apply -d 'Cut off what cannot be read, and what lies behind it; the cut files are kept aside'
complete -c ennead -n "__fish_ennead_using_subcommand repair" -s h -l help -d 'Print help'
complete -c ennead -n "__fish_ennead_using_subcommand compact" -l data -d 'Directory of the data' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand compact" -s h -l help -d 'Print help'
complete -c ennead -n "__fish_ennead_using_subcommand export" -l rdb -d 'Snapshot file to write, in the form of Redis 7.0; replaced when whole' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand export" -l from -d 'Running server instead of a data directory: redis[s]://[[user:]password@]host[:port]; a Redis is one as well' -r
complete -c ennead -n "__fish_ennead_using_subcommand export" -l cacert -d 'Authorities (PEM) of the certificates that servers show [default: those of the system]' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand export" -l cert -d 'Certificate chain (PEM) to show to servers that ask for one' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand export" -l key -d 'Private key of the certificate (PEM)' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand export" -l data -d 'Directory of the data' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand export" -s h -l help -d 'Print help'
complete -c ennead -n "__fish_ennead_using_subcommand import; and not __fish_seen_subcommand_from etcd" -l to -d 'The running Ennead: host:port, or redis[s]://[[user:]password@]host[:port]' -r
complete -c ennead -n "__fish_ennead_using_subcommand import; and not __fish_seen_subcommand_from etcd" -l state -d 'File that keeps where the next start goes on' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand import; and not __fish_seen_subcommand_from etcd" -l cacert -d 'Authorities (PEM) of the certificates that servers show [default: those of the system]' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand import; and not __fish_seen_subcommand_from etcd" -l cert -d 'Certificate chain (PEM) to show to servers that ask for one' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand import; and not __fish_seen_subcommand_from etcd" -l key -d 'Private key of the certificate (PEM)' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand import; and not __fish_seen_subcommand_from etcd" -l until-caught-up -d 'Stop following once everything is here that the source had a moment ago'
complete -c ennead -n "__fish_ennead_using_subcommand import; and not __fish_seen_subcommand_from etcd" -l flush -d 'Before a full copy, delete what the target holds'
complete -c ennead -n "__fish_ennead_using_subcommand import; and not __fish_seen_subcommand_from etcd" -l merge -d 'Copy over what the target holds; keys that only the target has stay'
complete -c ennead -n "__fish_ennead_using_subcommand import; and not __fish_seen_subcommand_from etcd" -s h -l help -d 'Print help'
complete -c ennead -n "__fish_ennead_using_subcommand import; and not __fish_seen_subcommand_from etcd" -a "etcd" -d 'Copy a running etcd: all keys as of one revision, and their leases'
complete -c ennead -n "__fish_ennead_using_subcommand import; and __fish_seen_subcommand_from etcd" -l endpoint -d 'The running etcd, 3.3 or later: [http[s]://]host[:port]' -r
complete -c ennead -n "__fish_ennead_using_subcommand import; and __fish_seen_subcommand_from etcd" -l user -d 'User of the source' -r
complete -c ennead -n "__fish_ennead_using_subcommand import; and __fish_seen_subcommand_from etcd" -l password -d 'Password of the user' -r
complete -c ennead -n "__fish_ennead_using_subcommand import; and __fish_seen_subcommand_from etcd" -l to -d 'The running Ennead, its gRPC port: [http[s]://[[user:]password@]]host[:port]' -r
complete -c ennead -n "__fish_ennead_using_subcommand import; and __fish_seen_subcommand_from etcd" -l cacert -d 'Authorities (PEM) of the certificates that servers show [default: those of the system]' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand import; and __fish_seen_subcommand_from etcd" -l cert -d 'Certificate chain (PEM) to show to servers that ask for one' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand import; and __fish_seen_subcommand_from etcd" -l key -d 'Private key of the certificate (PEM)' -r -F
complete -c ennead -n "__fish_ennead_using_subcommand import; and __fish_seen_subcommand_from etcd" -l follow -d 'After the copy, make each change of the source here as well, until Ctrl-C'
complete -c ennead -n "__fish_ennead_using_subcommand import; and __fish_seen_subcommand_from etcd" -l flush -d 'Before the copy, delete what the target holds of etcd\'s keys and leases'
complete -c ennead -n "__fish_ennead_using_subcommand import; and __fish_seen_subcommand_from etcd" -l merge -d 'Copy over what the target holds; keys that only the target has stay'
complete -c ennead -n "__fish_ennead_using_subcommand import; and __fish_seen_subcommand_from etcd" -s h -l help -d 'Print help'
complete -c ennead -n "__fish_ennead_using_subcommand version" -s h -l help -d 'Print help'
complete -c ennead -n "__fish_ennead_using_subcommand generate" -s h -l help -d 'Print help'
complete -c ennead -n "__fish_ennead_using_subcommand help; and not __fish_seen_subcommand_from serve check-config backup restore repair compact export import version generate help" -f -a "serve" -d 'Run the server (the default)'
complete -c ennead -n "__fish_ennead_using_subcommand help; and not __fish_seen_subcommand_from serve check-config backup restore repair compact export import version generate help" -f -a "check-config" -d 'Read flags, environment and file as `serve` would, and say what they come to'
complete -c ennead -n "__fish_ennead_using_subcommand help; and not __fish_seen_subcommand_from serve check-config backup restore repair compact export import version generate help" -f -a "backup" -d 'Write a consistent copy of a data directory that no server uses'
complete -c ennead -n "__fish_ennead_using_subcommand help; and not __fish_seen_subcommand_from serve check-config backup restore repair compact export import version generate help" -f -a "restore" -d 'Make a data directory from a copy, with archived log segments up to a point in time'
complete -c ennead -n "__fish_ennead_using_subcommand help; and not __fish_seen_subcommand_from serve check-config backup restore repair compact export import version generate help" -f -a "repair" -d 'Say what of a data directory cannot be read and what it would cost to go on without it'
complete -c ennead -n "__fish_ennead_using_subcommand help; and not __fish_seen_subcommand_from serve check-config backup restore repair compact export import version generate help" -f -a "compact" -d 'Give the space of deleted rows back to the file system'
complete -c ennead -n "__fish_ennead_using_subcommand help; and not __fish_seen_subcommand_from serve check-config backup restore repair compact export import version generate help" -f -a "export" -d 'Write a snapshot file that redis-server loads: of a data directory, or of a running server'
complete -c ennead -n "__fish_ennead_using_subcommand help; and not __fish_seen_subcommand_from serve check-config backup restore repair compact export import version generate help" -f -a "import" -d 'Copy a running Redis, a snapshot file of it, or a running etcd to a running Ennead'
complete -c ennead -n "__fish_ennead_using_subcommand help; and not __fish_seen_subcommand_from serve check-config backup restore repair compact export import version generate help" -f -a "version" -d 'Print the version and what the binary was built with'
complete -c ennead -n "__fish_ennead_using_subcommand help; and not __fish_seen_subcommand_from serve check-config backup restore repair compact export import version generate help" -f -a "generate" -d 'Write generated files: man page, completions, reference pages'
complete -c ennead -n "__fish_ennead_using_subcommand help; and not __fish_seen_subcommand_from serve check-config backup restore repair compact export import version generate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ennead -n "__fish_ennead_using_subcommand help; and __fish_seen_subcommand_from import" -f -a "etcd" -d 'Copy a running etcd: all keys as of one revision, and their leases'
