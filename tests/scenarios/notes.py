"""The four Dockerfiles of the study notes, to the byte."""

HELLO_STAGES = """\
FROM diamol/base AS build-stage
RUN echo "Building..." > /build.txt

FROM diamol/base AS test-stage
COPY --from=build-stage /build.txt .
RUN echo "Testing..." >> /build.txt

FROM diamol/base
COPY --from=test-stage /build.txt .
CMD ["cat", "/build.txt"]
"""

JAVA = """\
FROM diamol/maven AS builder

WORKDIR /usr/src/iotd
COPY pom.xml .
RUN mvn -B dependency:go-offline

COPY . .
RUN mvn package

# app
FROM diamol/openjdk

WORKDIR /app
COPY --from=builder /usr/src/iotd/target/iotd-service-0.1.0.jar .

EXPOSE 80
ENTRYPOINT ["java", "-jar", "/app/iotd-service-0.1.0.jar"]
"""

NODE = """\
FROM diamol/node AS builder

WORKDIR /src
COPY src/package.json .
RUN npm install

# app
FROM diamol/node

EXPOSE 80
CMD ["node", "server.js"]

WORKDIR /app
COPY --from=builder /src/node_modules/ /app/node_modules/
COPY src/ .
"""

GO = """\
FROM diamol/golang AS builder

COPY main.go .
RUN go build -o /server

# app
FROM diamol/base
ENV IMAGE_API_URL="http://iotd/image" \\
    ACCESS_API_URL="http://accesslog/access-log"

CMD ["/web/server"]

WORKDIR /web
COPY index.html .
COPY --from=builder /server .
RUN chmod +x server
"""

DOCKERFILES = {
    "hello-stages": HELLO_STAGES,
    "java-iotd": JAVA,
    "node-access-log": NODE,
    "go-gallery": GO,
}
"""By the scenario whose variant ``as-written`` it is."""
