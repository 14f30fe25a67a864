# The images: api and worker, which differ in entrypoint and environment, and both in one archive for `docker load`.
#
# Each store path is a layer: libc, then by name `base` and the binary, so that a new binary is one new layer on top.
# Nothing in the files of the image names the binary, only the image's configuration does.
{ pkgs, package, revision }:
let
  inherit (pkgs) lib dockerTools;
  inherit (package) binary manifest;

  # Fixed, so that folders that are mounted can be given to it. No name that a host knows.
  uid = "10001";

  # Where hosts with a GPU have the driver's libraries, which CDI mounts at the same place in the container:
  # Debian and Ubuntu, Fedora and others, WSL, and what NixOS' generator writes.
  driverFolders = [
    "/usr/lib/${pkgs.stdenv.hostPlatform.parsed.cpu.name}-linux-gnu"
    "/usr/lib64"
    "/usr/lib"
    "/usr/lib/wsl/lib"
    "/usr/local/nvidia/lib64"
    "/usr/local/nvidia/lib"
    "/run/opengl-driver/lib"
  ];

  # What the host's nvidia-smi is linked with comes after, and the place where it looks for its loader.
  libc = pkgs.stdenv.cc.libc;
  loader = if pkgs.stdenv.hostPlatform.isAarch64 then "lib/ld-linux-aarch64.so.1" else "lib64/ld-linux-x86-64.so.2";

  # One path and not a link to each, for those would be sorted among the binary's.
  base = pkgs.runCommand "base" { } ''
    mkdir -p $out/etc/ssl/certs $out/share
    cp ${pkgs.cacert}/etc/ssl/certs/ca-bundle.crt $out/etc/ssl/certs/
    cp -r ${pkgs.tzdata}/share/zoneinfo $out/share/
    cat > $out/etc/passwd <<END
    root:x:0:0:root:/:/sbin/nologin
    tradingagents:x:${uid}:${uid}:tradingagents:/:/sbin/nologin
    END
    cat > $out/etc/group <<END
    root:x:0:
    tradingagents:x:${uid}:
    END
    echo "hosts: files dns" > $out/etc/nsswitch.conf
  '';

  imageOf =
    { name, command, environment ? [ ], extraCommands ? "", config ? { } }:
    dockerTools.buildLayeredImage {
      name = "${manifest.name}-${name}";
      tag = manifest.version;
      contents = [ base ];
      extraCommands = ''
        mkdir -m 1777 tmp
        mkdir results
        ${extraCommands}
      '';
      fakeRootCommands = "chown ${uid}:${uid} results";
      config = {
        User = "${uid}:${uid}";
        Entrypoint = [ (lib.getExe binary) command ];
        Env = [
          "PATH=${binary}/bin:/usr/bin:/bin"
          "SSL_CERT_FILE=/etc/ssl/certs/ca-bundle.crt"
          "TZDIR=/share/zoneinfo"
          "RESULTS_DIR=/results"
        ] ++ environment;
        Labels = {
          "org.opencontainers.image.title" = "${manifest.name} ${name}";
          "org.opencontainers.image.description" = manifest.description;
          "org.opencontainers.image.version" = manifest.version;
          "org.opencontainers.image.revision" = revision;
          "org.opencontainers.image.source" = manifest.repository or "unknown";
          "org.opencontainers.image.licenses" = manifest.license;
        };
      } // config;
    };
in
rec {
  api-image = imageOf {
    name = "api";
    command = "api";
    environment = [ "API_LISTEN=0.0.0.0:8000" ];
    config.ExposedPorts."8000/tcp" = { };
  };

  worker-image = imageOf {
    name = "worker";
    command = "worker";
    environment = [
      "LD_LIBRARY_PATH=${lib.concatStringsSep ":" (driverFolders ++ [ "${libc}/lib" "${lib.getLib pkgs.libgcc}/lib" ])}"
    ];
    extraCommands = ''
      mkdir -p ${builtins.dirOf loader}
      ln -s ${libc}/lib/${baseNameOf loader} ${loader}
    '';
  };

  image = dockerTools.mergeImages [ api-image worker-image ];
}
