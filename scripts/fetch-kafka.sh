#!/usr/bin/env bash
# Brings Apache Kafka's jars, for the tests of its clients, into the folder given or KAFKA_JARS or /tmp/kafka-jars.
# Needs a JDK from 17 on and Maven. Does nothing when they are there.
set -euo pipefail

version=3.9.1
folder=${1:-${KAFKA_JARS:-/tmp/kafka-jars}}
if [ -f "$folder/kafka_2.13-$version.jar" ]; then exit 0; fi

project=$(mktemp -d)
trap 'rm -rf "$project"' EXIT
cat >"$project/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>test</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>$version</version>
    </dependency>
  </dependencies>
</project>
POM
cd "$project"
mvn --quiet --batch-mode dependency:copy-dependencies \
  -DincludeScope=runtime -DoutputDirectory="$folder"
