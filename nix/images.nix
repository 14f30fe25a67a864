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

  # Where hosts have the driver's libraries, which CDI mounts at the same place in the container: Ubuntu, Debian's own
  # packages, Jetson, Fedora, Arch, WSL, drivers in a folder of their own, and NixOS. After the list of the generator,
  # pkg/nvcdi and internal/lookup of https://github.com/NVIDIA/nvidia-container-toolkit.
  architecture = "${pkgs.stdenv.hostPlatform.parsed.cpu.name}-linux-gnu";
  driverFolders = [
    "/usr/lib/${architecture}"
    "/usr/lib/${architecture}/nvidia/current"
    "/usr/lib/${architecture}/nvidia"
    "/lib/${architecture}"
    "/lib/${architecture}/nvidia/current"
    "/usr/lib64"
    "/lib64"
    "/usr/lib"
    "/usr/lib/wsl/lib"
    "/usr/local/nvidia/lib64"
    "/usr/local/nvidia/lib"
    "/run/opengl-driver/lib"
  ];

  # The place where the host's nvidia-smi looks for its loader. libc is not on the path: NixOS mounts its own loader with
  # nvidia-smi, which must not meet another libc. Ours finds its own beside itself or, as loaders of Debian do, in /lib.
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
      "LD_LIBRARY_PATH=${lib.concatStringsSep ":" (driverFolders ++ [ "${lib.getLib pkgs.libgcc}/lib" ])}"
    ];
    extraCommands = ''
      mkdir -p lib ${builtins.dirOf loader}
      ln -s ${libc}/lib/${baseNameOf loader} ${loader}
      for library in libc.so.6 libm.so.6 libdl.so.2 libpthread.so.0 librt.so.1; do
        ln -s ${libc}/lib/$library lib/
      done
    '';
  };

  image = dockerTools.mergeImages [ api-image worker-image ];
}
